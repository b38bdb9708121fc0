/// A change of floating-point elements to another type, rounding to nearest even as PyTorch does.
public struct ElementCast: Hashable, Sendable {
  /// The type of the elements before.
  public let source: DType
  /// The type of the elements after.
  public let target: DType

  /// The types that elements can be cast to.
  public static let targets: [DType] = [.float32, .float16, .bfloat16]

  /// The cast of `source` to `target`, or `nil` for one that does not exist: of integers, truth
  /// values, complex and packed numbers, to any other than ``targets``, or to the same type.
  public init?(from source: DType, to target: DType) {
    guard Self.sources.contains(source), Self.targets.contains(target), source != target else {
      return nil
    }
    self.source = source
    self.target = target
  }

  private static let sources: Set<DType> = [.float64, .float32, .float16, .bfloat16]
}

/// 256 sums that stand for a tensor: distances and angles between tensors follow from their sketches.
///
/// A sketch is linear in the tensor, and its expected squared norm is that of the tensor (Alon, Matias
/// and Szegedy 1996). The standard deviation of a distance is 1/√512, 4.4 percent; a tensor of up to
/// 256 elements is kept exactly, but for signs and order.
public struct Sketch: Hashable, Sendable {
  /// The number of sums.
  public static let count = SketchKernel.count

  /// The sums.
  public let sums: [Double]

  /// A sketch of its sums, of which there are ``count``.
  public init?(sums: [Double]) {
    guard sums.count == Self.count else { return nil }
    self.sums = sums
  }

  /// A sketch of sums that were not wrapped around.
  init(unfolded sums: [Double]) { self.sums = SketchKernel.folded(sums) }

  /// The inner product of two sketches.
  public func product(_ other: Sketch) -> Double {
    zip(sums, other.sums).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The sketch of the difference of two tensors.
  public static func - (left: Sketch, right: Sketch) -> Sketch {
    Sketch(exactly: zip(left.sums, right.sums).map { $0 - $1 })
  }

  private init(exactly sums: [Double]) { self.sums = sums }
}

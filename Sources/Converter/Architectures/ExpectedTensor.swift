/// A tensor that a configuration calls for.
public struct ExpectedTensor: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// The number of elements along each dimension.
  public var shape: [Int]
  /// What decides each dimension.
  package var extents: [Extent]
}

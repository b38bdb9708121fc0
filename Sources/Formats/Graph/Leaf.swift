/// A value of a checkpoint with the path that leads to it.
public struct Leaf: Sendable {
  /// What there is at the end of a path.
  public enum Kind: Hashable, Sendable {
    /// A tensor.
    case tensor
    /// A value without tensors in it: a number, a list, an object.
    case value
    /// A dict without entries.
    case emptyMapping
    /// A container that holds itself, met inside of itself.
    case cycle
  }

  /// What there is at the end of the path.
  public var kind: Kind
  /// The value.
  public var node: NodeID
  /// The number of steps to the outermost tensor that the leaf lies inside of, as scales lie inside
  /// of a quantised tensor; `nil` for most leaves.
  package var tensorStepCount: Int?
  /// The number of the last step to it, for ``Leaves/path(to:)``.
  package var lastStep: Int32
}

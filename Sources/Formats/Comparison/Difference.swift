/// One thing in which two checkpoints differ.
public struct Difference: Hashable, Sendable {
  /// What differs.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Only the first checkpoint has it.
    case missing
    /// Only the second checkpoint has it.
    case extra
    /// The objects are of different types, or made by different calls.
    case type
    /// The numbers, texts or names are different.
    case value
    /// Only one of the objects was given a state, or named arguments.
    case state
    /// The containers have different numbers of items.
    case length
    /// The dicts have the same keys in another order.
    case order
    /// The element types of the tensors.
    case dtype
    /// The numbers of elements along the tensors' dimensions.
    case shape
    /// The distances between the tensors' elements.
    case strides
    /// The places in the storages where the tensors begin.
    case offset
    /// Whether autograd records operations on the tensors.
    case requiresGradient = "requires_grad"
    /// PyTorch's lazy conjugation and negation.
    case sign
    /// The devices the tensors were saved on.
    case device
    /// One of them is one object or one storage with another, the other is not.
    case sharing
    /// The elements of the tensors.
    case bytes
  }

  /// The path to it, as `inspect` names it.
  public var place: String
  /// What differs.
  public var kind: Kind
  /// What the first checkpoint has, `nil` where that is nothing.
  public var first: String?
  /// What the second checkpoint has, `nil` where that is nothing.
  public var second: String?

  /// Describes a difference.
  public init(_ kind: Kind, at place: String, first: String?, second: String?) {
    self.place = place
    self.kind = kind
    self.first = first
    self.second = second
  }
}

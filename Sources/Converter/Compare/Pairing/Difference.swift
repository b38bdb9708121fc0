/// A difference between two checkpoints.
public struct Difference: Hashable, Sendable {
  /// The kind of difference.
  @nonexhaustive
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Only the first checkpoint has it.
    case missing
    /// Only the second checkpoint has it.
    case extra
    /// The objects have different types, or were made by different calls.
    case type
    /// The numbers, texts or names differ.
    case value
    /// Only one of the objects has a state or named arguments.
    case state
    /// The containers have different numbers of items.
    case length
    /// The dicts have the same keys in different order.
    case order
    /// The dtypes of the tensors differ.
    case dtype
    /// The shapes of the tensors differ.
    case shape
    /// The strides of the tensors differ.
    case strides
    /// The offsets of the tensors in their storages differ.
    case offset
    /// Only one of the tensors has autograd enabled.
    case requiresGradient = "requires_grad"
    /// PyTorch's lazy conjugation or negation differs.
    case sign
    /// The tensors were saved on different devices.
    case device
    /// Sharing differs: the objects or storages are shared on one side only.
    case sharing
    /// The elements of the tensors differ.
    case bytes
  }

  /// The path of the value, as in `inspect`.
  public var place: String
  /// The kind of difference.
  public var kind: Kind
  /// The value of the first checkpoint in words; `nil` for none.
  public var first: String?
  /// The value of the second checkpoint in words; `nil` for none.
  public var second: String?
  /// The path in OLMo's naming, if `place` is that of a translated checkpoint.
  public var counterpart: String?

  /// Creates a difference.
  public init(_ kind: Kind, at place: String, first: String?, second: String?) {
    self.place = place
    self.kind = kind
    self.first = first
    self.second = second
  }
}

/// The first differences, and the number of all.
package struct DifferenceList: Sendable {
  /// The default number of differences to keep; people rarely read more.
  package static let defaultLimit = 20

  /// The first differences, in the order of the first checkpoint.
  package private(set) var first: [Difference] = []
  /// The number of differences.
  package private(set) var count = 0
  private let limit: Int

  /// Creates a list that keeps up to `limit` differences and counts the others.
  package init(limit: Int = DifferenceList.defaultLimit) { self.limit = limit }

  /// Whether nothing differs.
  package var isEmpty: Bool { count == 0 }

  /// Whether more differences are only counted.
  package var isFull: Bool { count >= limit }

  /// Adds a difference.
  package mutating func add(_ difference: Difference) {
    if !isFull { first.append(difference) }
    count += 1
  }

  /// Counts a difference without a description.
  package mutating func addUndescribed() { count += 1 }
}

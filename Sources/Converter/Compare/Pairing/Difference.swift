/// One thing in which two checkpoints differ.
public struct Difference: Hashable, Sendable {
  /// The thing that differs.
  @nonexhaustive
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
    /// Sharing differs: the objects or storages are shared on one side only.
    case sharing
    /// The elements of the tensors.
    case bytes
  }

  /// The path to it, as `inspect` names it.
  public var place: String
  /// The thing that differs.
  public var kind: Kind
  /// The text for what the first checkpoint has, `nil` where that is nothing.
  public var first: String?
  /// The text for what the second checkpoint has, `nil` where that is nothing.
  public var second: String?

  /// Describes a difference.
  public init(_ kind: Kind, at place: String, first: String?, second: String?) {
    self.place = place
    self.kind = kind
    self.first = first
    self.second = second
  }
}

/// The first differences that were found, and how many there are in all.
package struct DifferenceList: Sendable {
  /// The number of differences that are kept unless the caller decides: as many as people read.
  package static let defaultLimit = 20

  /// The first differences, in the order of the first checkpoint.
  package private(set) var first: [Difference] = []
  /// The number of differences.
  package private(set) var count = 0
  private let limit: Int

  /// An empty list that keeps up to `limit` differences and counts the others.
  package init(limit: Int = DifferenceList.defaultLimit) { self.limit = limit }

  /// Whether nothing differs.
  package var isEmpty: Bool { count == 0 }

  /// Whether further differences are only counted.
  package var isFull: Bool { count >= limit }

  /// Adds a difference.
  package mutating func add(_ difference: Difference) {
    if !isFull { first.append(difference) }
    count += 1
  }

  /// Counts a difference that nobody has to describe any more.
  package mutating func addUndescribed() { count += 1 }
}

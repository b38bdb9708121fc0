/// The first differences that were found, and how many there are in all.
public struct DifferenceList: Sendable {
  /// How many differences are kept unless the caller decides: as many as people read.
  public static let defaultLimit = 20

  /// The first differences, in the order of the first checkpoint.
  public private(set) var first: [Difference] = []
  /// How many differences there are.
  public private(set) var count = 0
  private let limit: Int

  /// An empty list that keeps up to `limit` differences and counts the others.
  public init(limit: Int = DifferenceList.defaultLimit) { self.limit = limit }

  /// Whether nothing differs.
  public var isEmpty: Bool { count == 0 }

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

internal import CkptBase
internal import CkptGraph

/// Which object of one graph stands where which object of the other does: one for one, if both
/// graphs share alike.
struct IdentityPairing {
  /// What two objects that stand in the same place were before.
  enum Meeting {
    /// Neither was met before.
    case new
    /// They were met together.
    case known
    /// At least one was met with another; each with the number of the step that first led to it.
    case conflict(first: Int32?, second: Int32?)
  }

  private static let unmet: Int32 = -1

  private var firstSteps: [Int32]
  private var secondSteps: [Int32]

  /// Partners for so many objects of which none has been met.
  init(firstCount: Int, secondCount: Int) {
    firstSteps = Array(repeating: Self.unmet, count: firstCount)
    secondSteps = Array(repeating: Self.unmet, count: secondCount)
  }

  /// Notes that step number `step` leads to both objects.
  mutating func meet(_ first: Int, _ second: Int, at step: Int32) -> Meeting {
    let (left, right) = (firstSteps[first], secondSteps[second])
    if left == Self.unmet, right == Self.unmet {
      firstSteps[first] = step
      secondSteps[second] = step
      return .new
    }
    if left == right { return .known }
    return .conflict(
      first: left == Self.unmet ? nil : left, second: right == Self.unmet ? nil : right)
  }
}

/// Which storage of one graph stands where which storage of the other does.
struct StoragePairing {
  private struct Conflict: Hashable {
    var first: StorageID
    var second: StorageID
  }

  private let firstKeys: [ExactString: StorageID]
  private let secondKeys: [ExactString: StorageID]
  private var partners: IdentityPairing
  private var conflicts: Set<Conflict> = []

  /// Partners for the storages of two graphs, of which none has been met.
  init(_ first: TensorGraph, _ second: TensorGraph) {
    firstKeys = Self.keys(of: first)
    secondKeys = Self.keys(of: second)
    partners = IdentityPairing(firstCount: first.storages.count, secondCount: second.storages.count)
  }

  /// Notes that tensors at step number `step` are views of these storages.
  ///
  /// A conflict is told once for the same two storages: the tensors of a torn group would all say
  /// the same.
  mutating func meet(_ first: Int, _ second: Int, at step: Int32) -> IdentityPairing.Meeting {
    let meeting = partners.meet(first, second, at: step)
    guard case .conflict = meeting else { return meeting }
    let conflict = Conflict(first: StorageID(index: first), second: StorageID(index: second))
    return conflicts.insert(conflict).inserted ? meeting : .known
  }

  /// The storages that two persistent ids name, or `nil` where one of them names none.
  func storages(
    _ firstID: NodeID, of first: TensorGraph, _ secondID: NodeID, of second: TensorGraph
  ) -> (first: StorageID, second: StorageID)? {
    guard let left = Self.key(firstID, first).flatMap({ firstKeys[$0] }),
      let right = Self.key(secondID, second).flatMap({ secondKeys[$0] })
    else { return nil }
    return (left, right)
  }

  /// The key in `('storage', class, key, location, numel)` (`torch/serialization.py`).
  private static func key(_ id: NodeID, _ graph: TensorGraph) -> ExactString? {
    guard let parts = graph.tuple(id), parts.count > 2 else { return nil }
    return graph.string(parts[parts.startIndex + 2]).map { ExactString($0) }
  }

  private static func keys(of graph: TensorGraph) -> [ExactString: StorageID] {
    var keys: [ExactString: StorageID] = [:]
    for (index, storage) in graph.storages.enumerated() {
      keys[ExactString(storage.key)] = StorageID(index: index)
    }
    return keys
  }
}

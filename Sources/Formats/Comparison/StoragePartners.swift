internal import Bytes
internal import Graph

/// Which storage of one graph stands where which storage of the other does.
struct StoragePartners {
  private struct Conflict: Hashable {
    var first: StorageID
    var second: StorageID
  }

  private let firstKeys: [ExactString: StorageID]
  private let secondKeys: [ExactString: StorageID]
  private var partners: Partners
  private var conflicts: Set<Conflict> = []

  /// Partners for the storages of two graphs, of which none has been met.
  init(_ first: TensorGraph, _ second: TensorGraph) {
    firstKeys = Self.keys(of: first)
    secondKeys = Self.keys(of: second)
    partners = Partners(firstCount: first.storages.count, secondCount: second.storages.count)
  }

  /// Notes that tensors at step number `step` are views of these storages.
  ///
  /// A conflict is told once for the same two storages: the tensors of a torn group would all say
  /// the same.
  mutating func meet(_ first: Int, _ second: Int, at step: Int32) -> Partners.Meeting {
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

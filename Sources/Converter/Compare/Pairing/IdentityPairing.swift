internal import CkptBase
internal import CkptGraph

/// A one-to-one pairing of the objects of two graphs.
struct IdentityPairing {
  /// The state of a pair of objects before they were found in the same place.
  enum Match {
    /// Neither was paired before.
    case new
    /// They were paired with each other.
    case known
    /// At least one was paired with another object. The numbers are the steps that found them
    /// first.
    case conflict(first: Int32?, second: Int32?)
  }

  private static let unpaired: Int32 = -1

  private var firstSteps: [Int32]
  private var secondSteps: [Int32]

  /// Creates an empty pairing for these numbers of objects.
  init(firstCount: Int, secondCount: Int) {
    firstSteps = Array(repeating: Self.unpaired, count: firstCount)
    secondSteps = Array(repeating: Self.unpaired, count: secondCount)
  }

  /// Records that step number `step` leads to both objects.
  mutating func match(_ first: Int, _ second: Int, at step: Int32) -> Match {
    let (left, right) = (firstSteps[first], secondSteps[second])
    if left == Self.unpaired, right == Self.unpaired {
      firstSteps[first] = step
      secondSteps[second] = step
      return .new
    }
    if left == right { return .known }
    return .conflict(
      first: left == Self.unpaired ? nil : left, second: right == Self.unpaired ? nil : right)
  }
}

/// A one-to-one pairing of the storages of two graphs.
struct StoragePairing {
  private struct Conflict: Hashable {
    var first: StorageID
    var second: StorageID
  }

  private let firstKeys: [ExactString: StorageID]
  private let secondKeys: [ExactString: StorageID]
  private var pairing: IdentityPairing
  private var conflicts: Set<Conflict> = []

  /// Creates an empty pairing of the storages of two graphs.
  init(_ first: TensorGraph, _ second: TensorGraph) {
    firstKeys = Self.keys(of: first)
    secondKeys = Self.keys(of: second)
    pairing = IdentityPairing(firstCount: first.storages.count, secondCount: second.storages.count)
  }

  /// Records that the tensors at step number `step` are views of these storages.
  ///
  /// A conflict is reported once for two storages; other tensors of the same storages would only
  /// repeat it.
  mutating func match(_ first: Int, _ second: Int, at step: Int32) -> IdentityPairing.Match {
    let match = pairing.match(first, second, at: step)
    guard case .conflict = match else { return match }
    let conflict = Conflict(first: StorageID(index: first), second: StorageID(index: second))
    return conflicts.insert(conflict).inserted ? match : .known
  }

  /// Returns the storages that two persistent ids name, or `nil` if one is not a storage.
  func storages(
    _ firstID: NodeID, of first: TensorGraph, _ secondID: NodeID, of second: TensorGraph
  ) -> (first: StorageID, second: StorageID)? {
    guard let left = Self.key(firstID, first).flatMap({ firstKeys[$0] }),
      let right = Self.key(secondID, second).flatMap({ secondKeys[$0] })
    else { return nil }
    return (left, right)
  }

  /// Returns the key in `('storage', class, key, location, numel)` (`torch/serialization.py`).
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

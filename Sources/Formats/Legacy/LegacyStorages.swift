internal import CkptBase
internal import CkptGraph
internal import CkptTorch

/// The storages of a legacy file.
struct LegacyStorages: StorageSource {
  /// The storages as the object mentions them, in the order in which they follow.
  ///
  /// Of several mentions the first counts: torch takes the size of elements from it
  /// (`torch/serialization.py`, `_legacy_load`).
  private(set) var announced: [PersistentStorage] = []
  /// The places of the storages in their order, as far as they are known.
  private(set) var all: [(key: String, region: FileRegion)] = []
  private var numbers: [ExactString: Int] = [:]

  /// The storages that `graph`, an object as an unpickler leaves it, speaks of, none of them found yet.
  ///
  /// - Throws: `malformed` for an id that is not a storage's.
  init(announced graph: TensorGraph) throws(CheckpointError) {
    var reader = PersistentStorage.Reader()
    for index in 0..<graph.nodeCount {
      guard case .persistent(let id) = graph[NodeID(index: index)] else { continue }
      let storage = try reader.read(id, in: graph)
      let key = ExactString(storage.key)
      guard numbers[key] == nil else { continue }
      numbers[key] = announced.count
      announced.append(storage)
    }
  }

  /// The keys in the last pickle of a file.
  ///
  /// - Throws: `malformed` for one that is no list of strs.
  static func keys(in graph: TensorGraph) throws(CheckpointError) -> [String] {
    guard case .list(let run) = graph[graph.root] else { throw notKeys(graph, graph.root) }
    var keys: [String] = []
    for id in graph[run] {
      guard let key = graph.name(id) else { throw notKeys(graph, id) }
      keys.append(key)
    }
    return keys
  }

  private static func notKeys(_ graph: TensorGraph, _ id: NodeID) -> CheckpointError {
    CheckpointError(
      .malformed,
      "found \(graph.description(of: id, limit: 60)), expected a list of the keys of storages"
    ).framed(by: LegacyReader.Pickle.storageKeys.words)
  }

  /// Puts the storages into the order in which they follow.
  ///
  /// - Throws: `malformed` where the keys are not those of the storages that the object speaks of.
  mutating func setOrder(_ keys: [String]) throws(CheckpointError) {
    var ordered: [PersistentStorage] = []
    for key in keys {
      guard let number = numbers.removeValue(forKey: ExactString(key)) else {
        throw CheckpointError(
          .malformed, "'\(key)' is listed twice, or is no storage that the object speaks of"
        ).framed(by: LegacyReader.Pickle.storageKeys.words)
      }
      ordered.append(announced[number])
    }
    if let number = numbers.values.min() {
      throw CheckpointError(
        .malformed,
        "storage '\(announced[number].key)', which the object speaks of, is not among the "
          + "\(keys.count) keys"
      ).framed(by: LegacyReader.Pickle.storageKeys.words)
    }
    announced = ordered
  }

  /// Adds the next storage.
  mutating func add(_ region: FileRegion, of storage: PersistentStorage) {
    numbers[ExactString(storage.key)] = all.count
    all.append((storage.key, region))
  }

  func storage(_ announced: PersistentStorage) throws(CheckpointError) -> Storage {
    guard let number = numbers[ExactString(announced.key)] else {
      throw CheckpointError(.malformed, "storage '\(announced.key)' is not in the file")
    }
    let region = all[number].region
    return Storage(
      key: announced.key, dtype: announced.dtype, location: announced.location,
      byteCount: region.byteCount, region: region, isBigEndian: false)
  }
}

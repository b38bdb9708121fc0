internal import Graph

/// The bytes of a checkpoint that a file of its tensors leaves behind: those of storages that no
/// tensor reaches, and records that the pickle does not use.
enum UnreachedBytes {
  /// How many storages are named; the rest are counted.
  private static let namedStorages = 20

  /// What to tell of them.
  static func warnings(of graph: TensorGraph, unusedRegions: [FileRegion]) -> [String] {
    var coverage = StorageCoverage()
    let thrownAway = thrownAwayTensors(of: graph)
    for (index, tensor) in graph.tensors.enumerated() where !thrownAway.contains(index) {
      coverage.add(tensor)
    }
    // A storage that tensors had before they were cast is nobody's now.
    let used = Set(graph.tensors.compactMap(\.storage))
    var warnings: [String] = []
    var count = 0
    for (index, storage) in graph.storages.enumerated() {
      let id = StorageID(index: index)
      guard used.contains(id) else { continue }
      let missed = coverage.missedByteCount(of: id, byteCount: storage.byteCount)
      guard missed > 0 else { continue }
      count += 1
      guard count <= namedStorages else { continue }
      warnings.append(
        "\(missed) of the \(storage.byteCount) bytes of storage '\(storage.key)' belong to no "
          + "tensor and stay behind")
    }
    if count > namedStorages {
      warnings.append("so do bytes of \(count - namedStorages) more storages")
    }
    let unused = unusedRegions.filter { $0.byteCount > 0 }
    if let first = unused.first {
      let others = unused.count > 1 ? ", and \(unused.count - 1) more like it" : ""
      warnings.append("'\(first.name)' is not used by the pickle and stays behind\(others)")
    }
    return warnings
  }

  /// The tensors, by number, that the pickle makes and throws away; their bytes go nowhere.
  private static func thrownAwayTensors(of graph: TensorGraph) -> Set<Int> {
    guard !graph.discarded.isEmpty else { return [] }
    let made = graph.reachable(from: graph.discarded).compactMap { id -> Int? in
      guard case .tensor(let tensor) = graph[id] else { return nil }
      return graph.index(of: tensor)
    }
    return Set(made).subtracting(graph.reachableTensors().map { graph.index(of: $0) })
  }
}

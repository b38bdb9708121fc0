internal import Bytes
internal import Graph
internal import Plan

/// Works out where the bytes of each storage come from: a region of a file, or the tensors that are
/// views of it.
struct StorageAssembler {
  private let graph: TensorGraph
  private var storages: [ExactString: StorageID] = [:]
  /// The elements of tensors that lie packed, by the storages that they are views of.
  private var pieces: [StorageID: [Assembly.Piece]] = [:]
  private var coverage = StorageCoverage()

  /// An assembler of the storages that the tensors of `graph` are views of.
  ///
  /// In `copies` is where else the files have elements of a tensor; they must be equal.
  /// - Throws: `malformed` when two storages have one name.
  init(
    _ graph: TensorGraph, copies: [TensorID: [FileRegion]]
  ) throws(FormatError) {
    self.graph = graph
    let reachable = graph.reachableTensors()
    for id in reachable {
      let tensor = graph[id]
      guard let storage = tensor.storage else { continue }
      let name = ExactString(graph[storage].recordName)
      guard storages.updateValue(storage, forKey: name) ?? storage == storage else {
        throw FormatError(.malformed, "two storages are named '\(graph[storage].key)'")
      }
      coverage.add(tensor)
      guard let packed = tensor.packed, tensor.byteCount > 0 else { continue }
      let placement = tensor.placement(in: graph[storage])
      for region in [packed] + (copies[id] ?? []) {
        pieces[storage, default: []].append(.init(region: region, placement: placement))
      }
    }
  }

  /// The records that the storages are, in the order in which the reader met them.
  var records: [TorchArchiveDescription.Record] {
    storages.values.sorted { graph.index(of: $0) < graph.index(of: $1) }.map {
      .storage(name: graph[$0].recordName, byteCount: graph[$0].byteCount)
    }
  }

  /// The bytes of a storage's record; zeros for one that no tensor is a view of.
  ///
  /// - Throws: `malformed` for tensors that lie outside of it.
  func segments(ofRecord name: String, byteCount: Int) throws(FormatError) -> [Segment] {
    guard let id = storages[ExactString(name)] else { return [.zeros(byteCount: byteCount)] }
    if let region = graph[id].region { return [.copy(region, range: 0..<region.byteCount)] }
    guard graph[id].blocks.isEmpty else { return graph[id].blockSegments }
    return try Segment.assembling(byteCount: byteCount, pieces: pieces[id] ?? [])
  }

  /// How many bytes of a storage's record come from no file and are zero.
  func missingByteCount(ofRecord name: String, byteCount: Int) -> Int {
    guard let id = storages[ExactString(name)] else { return byteCount }
    guard graph[id].region == nil, graph[id].blocks.isEmpty else { return 0 }
    return coverage.missedByteCount(of: id, byteCount: byteCount)
  }
}

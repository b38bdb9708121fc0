package import CkptBase
package import CkptGraph
package import CkptPlan
internal import CkptTorch

/// The place of every item of a distributed checkpoint, known before a byte is copied.
///
/// Items are computed again whenever they are needed: a checkpoint for a thousand ranks has millions.
struct DistributedLayout {
  /// An archive in one of the files.
  struct Item {
    /// The number of the entry.
    var entry: Int
    /// The chunk; `nil` for a value.
    var chunk: TensorChunk?
    /// The number of the file.
    var file: Int
    /// The first byte in the file.
    var offset: Int
    /// The size in bytes.
    var byteCount: Int
  }

  /// The dtype and shape of a chunk.
  struct ChunkForm: Hashable {
    var dtype: DType
    var shape: [Int]
  }

  let graph: TensorGraph
  let entries: [StateDictFlattening.Entry]
  let division: ChunkDivision
  /// The archives of values, by their entries.
  private(set) var values: [Int: ItemArchive] = [:]
  /// The archives of chunks, which lack the elements.
  private(set) var archives: [ChunkForm: ItemArchive] = [:]

  /// The maximum number of values with tensors inside; each takes time linear in the checkpoint.
  private static let maximumObjects = 1 << 12

  /// Plans the archives of all entries.
  ///
  /// - Throws: `unsupported` for a value that cannot be pickled.
  init(
    _ graph: TensorGraph, _ entries: [StateDictFlattening.Entry], _ division: ChunkDivision
  ) throws(CheckpointError) {
    self.graph = graph
    self.entries = entries
    self.division = division
    let holdsTensor = graph.nodesHoldingTensors()
    var known: [NodeID: ItemArchive] = [:]
    var objectCount = 0
    for (index, entry) in entries.enumerated() {
      try CheckpointError.within("'\(entry.name)'") { () throws(CheckpointError) in
        if let tensor = entry.tensor.map({ graph[$0] }) { return try addArchives(of: tensor) }
        if known[entry.node] == nil {
          if holdsTensor[graph.index(of: entry.node)] { objectCount += 1 }
          guard objectCount <= Self.maximumObjects else {
            throw CheckpointError(
              .limitExceeded, "more than \(Self.maximumObjects) values have tensors inside")
          }
          known[entry.node] =
            holdsTensor[graph.index(of: entry.node)]
            ? try ItemArchive(object: entry.node, of: graph)
            : try ItemArchive(value: entry.node, of: graph)
        }
        values[index] = known[entry.node]
      }
    }
  }

  /// Returns the name of a file, as PyTorch names that of a rank.
  static func name(ofFile number: Int) -> String { "__\(number)_0.distcp" }

  /// Calls `body` with every item: the values first, which are small, then the tensors.
  func forEachItem(_ body: (Item) -> Void) {
    var ends = [Int](repeating: 0, count: division.fileCount)
    func add(_ entry: Int, _ chunk: TensorChunk?, _ byteCount: Int) {
      let file = chunk.map { division.file(ofChunk: $0.index) } ?? 0
      body(
        Item(entry: entry, chunk: chunk, file: file, offset: ends[file], byteCount: byteCount))
      ends[file] += byteCount
    }
    for index in entries.indices {
      if let archive = values[index] { add(index, nil, archive.byteCount) }
    }
    for (index, entry) in entries.enumerated() {
      guard let tensor = entry.tensor.map({ graph[$0] }) else { continue }
      for chunk in TensorChunk.chunks(of: tensor.dtype, tensor.shape, division) {
        let form = ChunkForm(dtype: tensor.dtype, shape: chunk.sizes)
        if let archive = archives[form] { add(index, chunk, archive.byteCount) }
      }
    }
  }

  private mutating func addArchives(of tensor: Tensor) throws(CheckpointError) {
    let chunks = TensorChunk.chunks(of: tensor.dtype, tensor.shape, division)
    // All chunks but the last have one shape.
    for chunk in [chunks.first, chunks.last].compactMap(\.self) {
      let form = ChunkForm(dtype: tensor.dtype, shape: chunk.sizes)
      if archives[form] == nil {
        archives[form] = try ItemArchive(dtype: form.dtype, shape: form.shape)
      }
    }
  }
}

/// Plans a distributed checkpoint of a state dict, which any number of ranks can load.
///
/// No tensor bytes are read. Sources: `torch/distributed/checkpoint/filesystem.py` and `metadata.py`.
package struct DistributedEncoder {
  private let layout: DistributedLayout
  /// The names of empty dicts, which are not stored.
  package let emptyDicts: [String]
  /// The number of keys that were integers and are stored as strings.
  package let integerKeyCount: Int

  /// Flattens the root of `graph` and decides the place of every item.
  ///
  /// - Throws: `unsupported` for an object that a distributed checkpoint cannot hold.
  package init(
    _ graph: TensorGraph, _ rule: FlatteningRule, _ division: ChunkDivision
  ) throws(CheckpointError) {
    let flattening = try StateDictFlattening(graph, rule)
    emptyDicts = flattening.emptyDicts
    integerKeyCount = flattening.integerKeyCount
    layout = try DistributedLayout(graph, flattening.entries, division)
  }

  /// The number of tensors.
  package var tensorCount: Int { layout.entries.count { $0.tensor != nil } }

  /// The number of chunks of all tensors.
  package var chunkCount: Int {
    layout.entries.reduce(0) { count, entry in
      guard let tensor = entry.tensor.map({ layout.graph[$0] }) else { return count }
      return count + TensorChunk.chunks(of: tensor.dtype, tensor.shape, layout.division).count
    }
  }

  /// Returns the contents of the metadata file.
  package func metadata() -> [UInt8] { MetadataWriter.write(layout) }

  /// Returns the plans of the other files with their names.
  package func files() -> [(name: String, plan: FilePlan)] {
    var plans = [FilePlan](repeating: FilePlan(), count: layout.division.fileCount)
    layout.forEachItem { item in
      let entry = layout.entries[item.entry]
      guard let id = entry.tensor, let chunk = item.chunk else {
        layout.values[item.entry]?.append(to: &plans[item.file])
        return
      }
      let tensor = layout.graph[id]
      let elements = layout.graph.blocks(of: tensor).map {
        $0.rows(chunk.rows).segments(as: tensor.dtype)
      }
      layout.archives[.init(dtype: tensor.dtype, shape: chunk.sizes)]?
        .append(to: &plans[item.file], elements: elements ?? [])
    }
    return plans.enumerated().map { (DistributedLayout.name(ofFile: $0.offset), $0.element) }
  }

  /// Returns the state dict as a reader of the checkpoint gets it: nested as before, in plain dicts and
  /// lists, with strings as keys.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package func restoredGraph() throws(CheckpointError) -> TensorGraph {
    var graph = layout.graph
    var tree = FlattenedTree(count: layout.entries.count)
    for entry in layout.entries { try tree.add(entry.node, at: entry.path) }
    try tree.build(in: &graph)
    return graph
  }
}

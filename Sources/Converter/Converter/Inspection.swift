internal import Bytes
internal import Graph
internal import Pickle
internal import Safetensors
public import Formats

/// What a checkpoint holds, for people and scripts: names, types, shapes and values.
public struct Inspection: Sendable {
  /// A tensor under one of its names.
  public struct TensorRow: Hashable, Sendable {
    /// The path to it, as layout `plain` names it.
    public var name: String
    /// PyTorch's name of the element type.
    public var dtype: String
    /// The number of elements along each dimension.
    public var shape: [Int]
    /// The size of its elements in bytes.
    public var byteCount: Int
    /// The distances between neighbours in elements, where they are not packed in row-major order.
    public var strides: [Int]?
    /// The key of its storage, `nil` on the meta device.
    public var storage: String?
    /// How many tensors are views of that storage.
    public var storageUses: Int
    /// The size of its storage in bytes.
    public var storageByteCount: Int
    /// Whether autograd records operations on it.
    public var requiresGradient: Bool
  }

  /// A value that is not a tensor.
  public struct ValueRow: Hashable, Sendable {
    /// The path to it.
    public var name: String
    /// Much like Python's `repr`, cut when long.
    public var text: String
  }

  /// The file.
  public var path: String
  /// The container.
  public var source: SourceDescription
  /// The tensors in the order of the file, once per name.
  public var tensors: [TensorRow]
  /// The values beside them.
  public var values: [ValueRow]
  /// Classes and functions whose meaning is not known here; they are carried along as they are.
  public var opaqueGlobals: [String]
  /// The number of storages.
  public var storageCount: Int
  /// The size of all storages in bytes.
  public var storageByteCount: Int
  /// What the user should know.
  public var warnings: [String]

  /// Reads a file's structure.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - dropsUnsafe: puts `None` where a pickle names something that exists to run code.
  /// - Throws: what ``CheckpointFile/read(_:_:)-(String,_)`` throws.
  public init(of path: String, droppingUnsafe dropsUnsafe: Bool = false) throws(FormatError) {
    let checkpoint = try CheckpointFile.read(path, ReadingOptions(dropsUnsafe: dropsUnsafe))
    let graph = checkpoint.graph
    self.path = path
    source = checkpoint.source
    warnings = checkpoint.warnings
    tensors = []
    values = []
    storageCount = graph.storages.count
    storageByteCount = graph.storages.reduce(0) { $0.addingClamped($1.byteCount) }
    opaqueGlobals = graph.opaqueGlobals()
    var uses = [Int](repeating: 0, count: graph.storages.count)
    for tensor in graph.tensors { if let id = tensor.storage { uses[graph.index(of: id)] += 1 } }
    let leaves = try FormatError.within(path) { () throws(FormatError) in
      try NamedLeaf.all(of: graph)
    }
    for leaf in leaves {
      if case .tensor(let id) = graph[leaf.node] {
        tensors.append(TensorRow(graph[id], named: leaf.name, in: graph, uses: uses))
      } else {
        values.append(ValueRow(name: leaf.name, text: graph.description(of: leaf.node, limit: 100)))
      }
    }
  }
}

extension Inspection {
  /// The files that `path` stands for: itself, or the checkpoint files of a directory, where an
  /// index stands for its shards.
  ///
  /// - Throws: `inputOutput` when there is nothing; `unsupported` for a directory without any.
  public static func files(of path: String) throws(FormatError) -> [String] {
    let place = FilePath(path)
    guard try place.status()?.isDirectory == true else { return [path] }
    var files = try OLMoDirectory.files(of: place)
    let hasModel = files.contains { FilePath($0).name.hasPrefix("model.") }
    if !hasModel, let weights = try ModelFolder.weights(in: path) { files.insert(weights, at: 0) }
    guard !files.isEmpty else { throw OLMoDirectory.notACheckpoint(place) }
    return files
  }
}

extension Inspection.TensorRow {
  fileprivate init(_ tensor: Tensor, named name: String, in graph: TensorGraph, uses: [Int]) {
    self.name = name
    dtype = tensor.dtype.name
    shape = tensor.shape
    byteCount = tensor.byteCount
    strides = tensor.isContiguous ? nil : tensor.strides
    storage = tensor.storage.map { graph[$0].key }
    storageUses = tensor.storage.map { uses[graph.index(of: $0)] } ?? 0
    storageByteCount = tensor.storage.map { graph[$0].byteCount } ?? 0
    requiresGradient = tensor.requiresGradient
  }
}

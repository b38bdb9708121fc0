internal import CkptBase
internal import CkptCheckpoints
public import CkptFormats
internal import CkptGraph
internal import CkptPickle
internal import CkptSafetensors

/// The contents of a checkpoint: names, types, shapes and values.
public struct Inspection: Sendable {
  /// A tensor under one of its names.
  public struct TensorRow: Hashable, Sendable {
    /// The path of the tensor, as in the layout `plain`.
    public var name: String
    /// The dtype, by PyTorch's name.
    public var dtype: String
    /// The number of elements along each dimension.
    public var shape: [Int]
    /// The size of its elements in bytes.
    public var byteCount: Int
    /// The distances between adjacent elements; `nil` for packed elements in row-major order.
    public var strides: [Int]?
    /// The key of its storage; `nil` on the meta device.
    public var storage: String?
    /// The number of tensors that are views of that storage.
    public var storageUses: Int
    /// The size of its storage in bytes.
    public var storageByteCount: Int
    /// Whether autograd records operations on it.
    public var requiresGradient: Bool
    /// The place of its elements; `nil` if they are not in one piece in a file.
    public var place: TensorPlace?
  }

  /// A value that is not a tensor.
  public struct ValueRow: Hashable, Sendable {
    /// The path of the value.
    public var name: String
    /// The value like Python's `repr`, shortened if long.
    public var text: String
    /// The whole value as JSON; `nil` if JSON cannot represent it.
    public var json: String?
    /// The contents of a bytes or bytearray object in base64; `nil` for other values.
    public var base64: String?
  }

  /// The tensors of one dtype.
  public struct DTypeTotal: Hashable, Sendable {
    /// The dtype, by PyTorch's name.
    public var dtype: String
    /// The number of tensors.
    public var tensorCount = 0
    /// The number of their elements.
    public var elementCount = 0
    /// The size of their elements in bytes.
    public var byteCount = 0
  }

  /// The file.
  public var path: String
  /// The container.
  package var container: (any ContainerDescription)?
  /// The size of the container's files in bytes.
  public var byteCount: Int
  /// The content in a few facts.
  public var facts: StateFacts
  /// The tensors in file order, once for each name.
  public var tensors: [TensorRow]
  /// The values that are not tensors.
  public var values: [ValueRow]
  /// Classes and functions of unknown meaning, which conversions keep as they are.
  public var opaqueGlobals: [String]
  /// The number of storages.
  public var storageCount: Int
  /// The size of all storages in bytes.
  public var storageByteCount: Int
  /// Warnings for the user.
  public var warnings: [String]
}

extension Inspection {
  /// Reads a file's structure.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - options: the options for reading.
  /// - Throws: the errors of ``Checkpoint/init(path:_:)``.
  public init(of path: String, _ options: ReadingOptions = ReadingOptions()) throws(CheckpointError)
  {
    let checkpoint = try CheckpointFile.read(path, options)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try Inspection(checkpoint, path)
    }
  }

  private init(_ checkpoint: Checkpoint, _ path: String) throws(CheckpointError) {
    let graph = checkpoint.graph
    self.path = path
    container = checkpoint.container
    byteCount = checkpoint.byteCount
    warnings = checkpoint.warnings
    tensors = []
    values = []
    storageCount = graph.storages.count
    storageByteCount = graph.storages.reduce(0) { $0.addingClamped($1.byteCount) }
    opaqueGlobals = graph.opaqueGlobals()
    var uses = [Int](repeating: 0, count: graph.storages.count)
    for tensor in graph.tensors { if let id = tensor.storage { uses[graph.index(of: id)] += 1 } }
    let leaves = try NamedLeaf.all(of: graph)
    tensors.reserveCapacity(graph.tensors.count)
    var valueJSON = ValueJSON(graph)
    for leaf in leaves {
      if case .tensor(let id) = graph[leaf.node] {
        tensors.append(TensorRow(graph[id], named: leaf.name, in: graph, uses: uses))
      } else {
        values.append(
          ValueRow(
            name: leaf.name, text: graph.description(of: leaf.node, limit: 100),
            json: valueJSON.text(of: leaf.node), base64: valueJSON.base64(of: leaf.node)))
      }
    }
    facts = try StateFacts(
      of: graph, tensorNames: tensors.map(\.name), hasValues: !values.isEmpty)
  }
}

extension Inspection {
  /// Returns the files that `path` stands for: itself, or the checkpoint files of a directory.
  ///
  /// An index stands for its shards.
  ///
  /// - Throws: `inputOutput` if the path does not exist; `unsupported` for a directory without
  ///   checkpoints.
  public static func files(of path: String) throws(CheckpointError) -> [String] {
    let place = FilePath(path)
    guard try place.status()?.isDirectory == true else { return [path] }
    var files = try OLMoDirectory.files(of: place)
    let hasModel = files.contains { FilePath($0).name.hasPrefix("model.") }
    if !hasModel, let weights = try ModelFolder.weights(in: path) { files.insert(weights, at: 0) }
    if files.isEmpty, try CheckpointFile.needsWholeDirectory(Set(place.entryNames())) {
      return [path]
    }
    guard !files.isEmpty else { throw OLMoDirectory.notACheckpoint(place) }
    return files
  }
}

extension Inspection {
  /// The number of elements of all tensors.
  public var elementCount: Int { tensors.reduce(0) { $0.addingClamped($1.elementCount) } }

  /// The totals for each dtype, the one with the most elements first.
  public var dtypes: [DTypeTotal] {
    var totals: [DTypeTotal] = []
    for tensor in tensors {
      var index = totals.firstIndex { $0.dtype == tensor.dtype } ?? totals.count
      if index == totals.count { totals.append(DTypeTotal(dtype: tensor.dtype)) }
      totals[index].tensorCount += 1
      totals[index].elementCount = totals[index].elementCount.addingClamped(tensor.elementCount)
      totals[index].byteCount = totals[index].byteCount.addingClamped(tensor.byteCount)
      while index > 0, totals[index - 1].elementCount < totals[index].elementCount {
        totals.swapAt(index, index - 1)
        index -= 1
      }
    }
    return totals
  }

  /// The unusual facts, in words.
  public var remarks: [String] {
    let counts: [(count: Int, noun: String, fact: String)] = [
      (tensors.count { $0.storageUses > 1 }, "tensor", "share memory"),
      (tensors.count { $0.strides != nil }, "tensor", "not in row-major order"),
      (tensors.count { $0.storage == nil }, "tensor", "without data (meta device)"),
      (tensors.count { $0.elementCount == 0 }, "tensor", "without elements"),
    ]
    var remarks = counts.filter { $0.count > 0 }.map {
      "\($0.count.pluralized($0.noun)) \($0.fact)"
    }
    if !opaqueGlobals.isEmpty {
      remarks.append(
        "\(opaqueGlobals.count) unknown class\(opaqueGlobals.count == 1 ? "" : "es")")
    }
    return remarks
  }
}

extension Inspection.TensorRow {
  /// The number of elements.
  public var elementCount: Int { shape.reduce(1, *) }
}

extension Inspection.ValueRow {
  /// The attributes that every `nn.Module` has (`Module.__init__` in `torch/nn/modules/module.py`).
  private static let attributes: Set<String> = [
    "training", "_parameters", "_buffers", "_modules", "_non_persistent_buffers_set",
    "_backward_pre_hooks", "_backward_hooks", "_is_full_backward_hook", "_forward_hooks",
    "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs", "_state_dict_hooks", "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
  ]

  /// Whether it is an attribute that every module has, without a meaning for the model.
  public var isModuleAttribute: Bool {
    Self.attributes.contains(name.split(separator: ".").last.map(String.init) ?? "")
  }
}

extension Inspection.TensorRow {
  fileprivate init(_ tensor: Tensor, named name: String, in graph: TensorGraph, uses: [Int]) {
    self.name = name
    dtype = tensor.dtype.name
    shape = tensor.elementShape ?? tensor.shape
    byteCount = tensor.byteCount
    strides = tensor.isContiguous ? nil : tensor.strides
    storage = tensor.storage.map { graph.storages[graph.index(of: $0)].key }
    storageUses = tensor.storage.map { uses[graph.index(of: $0)] } ?? 0
    storageByteCount = tensor.storage.map { graph.storages[graph.index(of: $0)].byteCount } ?? 0
    requiresGradient = tensor.requiresGradient
    place = TensorPlace(of: tensor, in: graph)
  }
}

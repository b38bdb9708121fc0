internal import CkptBase
internal import CkptCheckpoints
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
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
  }

  /// The file.
  public var path: String
  /// The container.
  package var container: (any ContainerDescription)?
  /// The size of the container's files in bytes.
  public var byteCount: Int
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

  /// Reads a file's structure.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - options: the options for reading.
  /// - Throws: the errors of ``Checkpoint/init(path:_:)``.
  public init(of path: String, _ options: ReadingOptions = ReadingOptions()) throws(CheckpointError)
  {
    let checkpoint = try CheckpointFile.read(path, options)
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
    let leaves = try CheckpointError.within(path) { () throws(CheckpointError) in
      try NamedLeaf.all(of: graph)
    }
    tensors.reserveCapacity(graph.tensors.count)
    var valueJSON = ValueJSON(graph)
    for leaf in leaves {
      if case .tensor(let id) = graph[leaf.node] {
        tensors.append(TensorRow(graph[id], named: leaf.name, in: graph, uses: uses))
      } else {
        values.append(
          ValueRow(
            name: leaf.name, text: graph.description(of: leaf.node, limit: 100),
            json: valueJSON.text(of: leaf.node)))
      }
    }
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

extension Inspection {
  /// The contents as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    writeContainer(to: &json)
    json.key("totals")
    json.beginObject()
    json.member("tensors", tensors.count)
    json.member("tensor_bytes", tensors.reduce(0) { $0.addingClamped($1.byteCount) })
    json.member("elements", tensors.reduce(0) { $0.addingClamped($1.shape.reduce(1, *)) })
    json.member("storages", storageCount)
    json.member("storage_bytes", storageByteCount)
    json.endObject()
    json.key("tensors")
    json.beginArray()
    for tensor in tensors { write(tensor, to: &json) }
    json.endArray()
    json.key("values")
    json.beginArray()
    for value in values {
      json.beginObject()
      json.member("name", value.name)
      json.member("value", value.text)
      if let data = value.json {
        json.key("data")
        json.value(json: data)
      }
      json.endObject()
    }
    json.endArray()
    json.member("opaque_globals", opaqueGlobals)
    json.member("warnings", warnings)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func writeContainer(to json: inout JSONWriter) {
    json.member("bytes", byteCount)
    json.key("container")
    json.beginObject()
    json.member("kind", container?.kind)
    for fact in container?.facts ?? [] { fact.write(to: &json) }
    json.endObject()
  }

  private func write(_ tensor: TensorRow, to json: inout JSONWriter) {
    json.beginObject()
    json.member("name", tensor.name)
    json.member("dtype", tensor.dtype)
    json.member("shape", tensor.shape)
    json.member("bytes", tensor.byteCount)
    if let strides = tensor.strides { json.member("strides", strides) }
    json.member("storage", tensor.storage)
    json.member("storage_bytes", tensor.storageByteCount)
    json.member("storage_uses", tensor.storageUses)
    json.member("requires_grad", tensor.requiresGradient)
    json.key("place")
    if let place = tensor.place { place.write(to: &json) } else { json.null() }
    json.endObject()
  }
}

extension ContainerFact {
  /// Writes the fact as a member of an object.
  fileprivate func write(to json: inout JSONWriter) {
    switch value {
    case .text(let text): json.member(name, text)
    case .number(let number): json.member(name, number)
    case .flag(let flag): json.member(name, flag)
    case .texts(let texts): json.member(name, texts)
    case .unknown:
      json.key(name)
      json.null()
    case .list(let items):
      json.key(name)
      json.beginArray()
      for item in items {
        json.beginObject()
        for fact in item { fact.write(to: &json) }
        json.endObject()
      }
      json.endArray()
    }
  }
}

public import CkptBase
public import CkptContainer
internal import CkptGraph
internal import CkptSafetensors

/// Opening checkpoints, and their contents.
extension Checkpoint {
  /// Opens a checkpoint and reads its structure.
  ///
  /// No tensor is read, and no code in a pickle is run.
  ///
  /// The file type is detected from the content, not from the name. A directory must hold weights
  /// that `transformers` would find: one file, or shards with an index.
  ///
  /// - Parameters:
  ///   - path: a file of `torch.save`, a safetensors file, the index of shards, or a directory.
  ///   - options: the options for reading.
  /// - Throws: ``CheckpointError`` with the file in its path: `inputOutput` for a path that cannot be
  ///   opened, `unsupported` for another kind of file, `truncated`, `malformed` and
  ///   `checksumMismatch` for a damaged one, `forbidden` for one that would run code in Python.
  public init(
    path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) {
    self = try CheckpointFile.read(path, options)
  }

  /// Reads the structure of a checkpoint from a source of bytes, such as a part of a file or
  /// memory.
  ///
  /// - Parameters:
  ///   - source: the bytes of one file; the checkpoint keeps it to read tensors from.
  ///   - options: the options for reading.
  /// - Throws: ``CheckpointError`` as ``init(path:_:)`` does.
  public init(
    reading source: any ByteSource, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) {
    self = try CheckpointFile.read(source, options)
  }

  /// The format of the file; `nil` for a checkpoint in several files or in memory.
  public var format: CheckpointFormat? { container?.format }

  /// The metadata in the order of the file: `__metadata__` of a safetensors file.
  public var metadata: [(key: String, value: String)] { container?.metadata ?? [] }

  /// Finds all tensors in dicts, lists and objects.
  ///
  /// The names are those of `ckptconv inspect` and of a safetensors file of layout `plain`: the
  /// keys of the path to the tensor, joined with dots.
  ///
  /// - Returns: the tensors in the order of the file. The list takes time in proportion to the
  ///   checkpoint, so keep it while the checkpoint does not change.
  /// - Throws: ``CheckpointError`` with code `limitExceeded` for a file designed to exhaust
  ///   readers.
  public func tensors() throws(CheckpointError) -> TensorList { try TensorList(of: graph) }

  /// Finds all values that are not tensors: numbers, strings, lists of these, objects.
  ///
  /// - Returns: the values with their names, in the order of the file; empty dicts are included.
  /// - Throws: ``CheckpointError`` as ``tensors()`` does.
  public func values() throws(CheckpointError) -> [(name: String, value: PythonValue)] {
    var values: [(name: String, value: PythonValue)] = []
    for leaf in try NamedLeaf.all(of: graph) {
      if case .tensor = graph[leaf.node] { continue }
      values.append((leaf.name, PythonValue(leaf.node, of: graph)))
    }
    return values
  }

  /// The outermost object, such as the dict passed to `torch.save`.
  public var root: PythonValue { PythonValue(graph.root, of: graph) }

  /// Finds the object at a path.
  ///
  /// - Parameter path: keys, indices and attribute names, joined with dots, such as
  ///   `param_groups.0.lr`. A key can contain dots.
  /// - Returns: the object, or `nil` if the path does not exist.
  public func value(at path: String) -> PythonValue? {
    graph.node(at: path).map { PythonValue($0, of: graph) }
  }
}

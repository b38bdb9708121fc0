public import CkptBase
public import CkptContainer
internal import CkptGraph
internal import CkptSafetensors

/// Opening checkpoints, and what they hold.
extension Checkpoint {
  /// Opens a checkpoint and reads its structure; no tensor is read, and nothing in a pickle is run.
  ///
  /// The contents of a file decide what it is, not its name. A directory is one in which
  /// `transformers` would find the weights of a model: one file, or shards with an index.
  ///
  /// - Parameters:
  ///   - path: a file of `torch.save`, a safetensors file, the index of shards, or a directory.
  ///   - options: how it is read.
  /// - Throws: ``CheckpointError`` with the file in its path: `inputOutput` for a path that cannot be
  ///   opened, `unsupported` for another kind of file, `truncated`, `malformed` and
  ///   `checksumMismatch` for a damaged one, `forbidden` for one that would run code in Python.
  public init(
    path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) {
    self = try CheckpointFile.read(path, options)
  }

  /// Reads the structure of a checkpoint in a source of bytes, such as a part of a file or memory.
  ///
  /// - Parameters:
  ///   - source: the bytes of one file; the checkpoint keeps it to read tensors from.
  ///   - options: how it is read.
  /// - Throws: ``CheckpointError`` as ``init(path:_:)`` does.
  public init(
    reading source: any ByteSource, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) {
    self = try CheckpointFile.read(source, options)
  }

  /// The format of the file; `nil` for a checkpoint of several files or made in memory.
  public var format: CheckpointFormat? { container?.format }

  /// The texts beside the tensors in the order of the file: `__metadata__` of a safetensors file.
  public var metadata: [(key: String, value: String)] { container?.metadata ?? [] }

  /// Finds all tensors, whatever dicts, lists and objects they lie in.
  ///
  /// The names are those that `ckptconv inspect` lists and that a safetensors file of layout `plain`
  /// has: the keys on the way to the tensor, joined with dots.
  ///
  /// - Returns: the tensors in the order of the file. The work grows with the checkpoint, so keep the
  ///   list for as long as the checkpoint does not change.
  /// - Throws: ``CheckpointError`` with code `limitExceeded` for a file made to exhaust its readers.
  public func tensors() throws(CheckpointError) -> TensorList { try TensorList(of: graph) }

  /// Finds all values beside the tensors: numbers, strings, lists of such, objects.
  ///
  /// - Returns: the values with their names, in the order of the file; empty dicts are among them.
  /// - Throws: ``CheckpointError`` as ``tensors()`` does.
  public func values() throws(CheckpointError) -> [(name: String, value: PythonValue)] {
    var values: [(name: String, value: PythonValue)] = []
    for leaf in try NamedLeaf.all(of: graph) {
      if case .tensor = graph[leaf.node] { continue }
      values.append((leaf.name, PythonValue(leaf.node, of: graph)))
    }
    return values
  }

  /// The object that the checkpoint is, such as the dict that was given to `torch.save`.
  public var root: PythonValue { PythonValue(graph.root, of: graph) }

  /// Finds the object at the end of a path.
  ///
  /// - Parameter path: keys, indices and names of attributes, joined with dots, such as
  ///   `param_groups.0.lr`. A key may have dots itself.
  /// - Returns: the object, or `nil` where the path leads nowhere.
  public func value(at path: String) -> PythonValue? {
    graph.node(at: path).map { PythonValue($0, of: graph) }
  }
}

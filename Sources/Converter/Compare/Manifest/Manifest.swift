internal import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan
internal import CkptSafetensors

/// A list of the contents of a checkpoint, with the SHA-256 of every tensor and value.
///
/// It is enough to check later that a checkpoint in any format is equal.
/// `Documentation/manifest.md` specifies it.
public struct Manifest: Sendable {
  /// A tensor or another value.
  struct Entry: Sendable {
    enum Kind: Hashable, Sendable {
      /// A tensor with its dtype and shape.
      case tensor(dtype: String, shape: [Int], byteCount: Int)
      /// Another value, in a form like Python's `repr`.
      case value(text: String)
    }

    /// The name in the layout `plain`.
    var name: String
    var kind: Kind
    /// The digest; `nil` for tensors without bytes and for values that contain themselves.
    var digest: SHA256.Digest?
  }

  /// A part of the checkpoint.
  struct File: Sendable {
    enum Content: Sendable {
      /// Tensors and values in order, and the digest of the object without tensor bytes. The digest
      /// is `nil` if a file has only names and values, or if the object contains itself.
      case checkpoint(structure: SHA256.Digest?, entries: [Entry])
      /// A file that is compared byte by byte.
      case bytes(byteCount: Int, digest: SHA256.Digest)
    }

    /// `model`, `optim` and so on for a part of the checkpoint; the file name of another file.
    var name: String
    var content: Content
  }

  /// The parts, those with tensors first.
  var files: [File]
}

extension Manifest.File {
  /// Describes a checkpoint and reads all of its bytes.
  ///
  /// - Throws: `checksumMismatch` if it is damaged, and the errors of reading it.
  init(
    _ checkpoint: Checkpoint, named name: String, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    self.name = name
    let graph = checkpoint.graph
    let leaves = try NamedLeaf.all(of: graph)
    let tensors = try TensorDigests.compute(
      of: leaves.compactMap { leaf in
        guard case .tensor(let id) = graph[leaf.node] else { return nil }
        return (leaf.name, id)
      }, in: checkpoint, budget: budget, progress: progress)
    var values = ValueDigests(of: graph)
    var entries = leaves.map { leaf in
      guard case .tensor(let id) = graph[leaf.node] else {
        return Manifest.Entry(
          name: leaf.name, kind: .value(text: graph.description(of: leaf.node, limit: 100)),
          digest: values.digest(of: leaf.node))
      }
      return Manifest.Entry(name: leaf.name, graph[id], of: graph, digest: tensors[id])
    }
    entries += Self.aliases(among: entries, checkpoint)
    content = .checkpoint(
      structure: checkpoint.tellsStructure ? values.digest(of: graph.root) : nil,
      entries: entries)
  }

  /// Returns entries for the names that the metadata of a safetensors file ties to other tensors.
  private static func aliases(
    among entries: [Manifest.Entry], _ checkpoint: Checkpoint
  ) -> [Manifest.Entry] {
    guard case .names(let metadata) = checkpoint.side.structure else { return [] }
    var known: [ExactString: Int] = [:]
    for (index, entry) in entries.enumerated() { known[ExactString(entry.name)] = index }
    return metadata.compactMap { name, keeper in
      guard known[ExactString(name)] == nil, let index = known[ExactString(keeper)] else {
        return nil
      }
      var entry = entries[index]
      entry.name = name
      return entry
    }
  }

  /// Describes a file that is compared byte by byte.
  ///
  /// - Throws: `inputOutput` if it cannot be read.
  init(bytesOf path: String, named name: String) throws(CheckpointError) {
    let file = try FileSource(path: path)
    self.name = name
    guard file.byteCount > 0 else {
      content = .bytes(byteCount: 0, digest: SHA256.digest(of: [UInt8]().span.raw))
      return
    }
    let output = DigestingOutput(runs: [file.byteCount])
    try CopyEngine(threadCount: 1).run(.copying(file), into: output)
    content = .bytes(byteCount: file.byteCount, digest: output.digests[0])
  }
}

extension Manifest.Entry {
  /// Describes a tensor by the digest of its bytes; `nil` for a tensor without bytes.
  init(name: String, _ tensor: Tensor, of graph: TensorGraph, digest: SHA256.Digest?) {
    let isMeta = tensor.storage == nil
    self.init(
      name: name,
      kind: .tensor(
        dtype: tensor.dtype.name, shape: tensor.shape, byteCount: isMeta ? 0 : tensor.byteCount),
      digest: isMeta ? nil : digest ?? SHA256.digest(of: [UInt8]().span.raw))
  }
}

extension Checkpoint {
  /// Whether the file describes the whole object, not only names and values.
  var tellsStructure: Bool {
    guard case .objects = side.structure else { return false }
    return true
  }
}

/// Creates manifests of checkpoints.
public struct ManifestMaker: Sendable {
  /// The result of writing a manifest.
  public struct Report: Sendable {
    /// The manifest.
    public var path: String
    /// The names of the described parts.
    public var files: [String]
    /// The number of tensors and values in it.
    public var entryCount: Int
    /// Warnings for the user about the files.
    public var warnings: [String]

    /// The report as one JSON object; `Documentation/json.md` describes its members.
    public var json: String {
      var json = JSONWriter()
      json.beginObject()
      json.member("manifest", path)
      json.member("files", files)
      json.member("entries", entryCount)
      json.member("warnings", warnings)
      json.endObject()
      return String(decoding: json.bytes, as: UTF8.self)
    }
  }

  /// The options for reading.
  public var reading = ReadingOptions()
  private let budget: CopyBudget
  private let writing: WritingOptions

  /// Creates a maker.
  ///
  /// It replaces an existing manifest only if `writing` allows it.
  public init(budget: CopyBudget = CopyBudget(), writing: WritingOptions = WritingOptions()) {
    self.budget = budget
    self.writing = writing
  }

  /// Writes the manifest of `path` to the file `output`.
  ///
  /// - Parameters:
  ///   - path: a file, the index of a sharded checkpoint, or a directory.
  ///   - output: the manifest.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the report.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public func write(
    of path: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> Report {
    let members = try CheckpointMembers(of: path)
    try FilePath(output).requireApart(
      from: members.states.map(\.path) + members.files.map { members.path.appending($0).text },
      remedy: "choose another name for the manifest")
    // An obstacle should be found before all bytes are read.
    let staged = try StagedOutput(path: output, writing)
    let (manifest, warnings) = try Manifest.make(
      of: path, reading, budget: budget, progress: progress)
    try manifest.write(into: staged)
    try staged.commit()
    return Report(
      path: output, files: manifest.files.map(\.name), entryCount: manifest.entryCount,
      warnings: warnings)
  }
}

extension Manifest {
  /// Describes a file, the index of a sharded checkpoint, or a directory.
  ///
  /// - Throws: ``CheckpointError`` with the file in its path.
  package static func make(
    of path: String, _ options: ReadingOptions, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> (Manifest, warnings: [String]) {
    let members = try CheckpointMembers(of: path)
    var manifest = Manifest(files: [])
    var warnings: [String] = []
    for state in members.states {
      let checkpoint = try CheckpointFile.read(state.path, options)
      warnings += checkpoint.warnings(ofFile: state.path)
      manifest.files.append(
        try CheckpointError.within(state.path) { () throws(CheckpointError) in
          try File(checkpoint, named: state.name, budget: budget, progress: progress)
        })
    }
    for name in members.files {
      manifest.files.append(
        try File(bytesOf: members.path.appending(name).text, named: name))
    }
    return (manifest, warnings)
  }

  /// The number of tensors and values.
  var entryCount: Int {
    files.reduce(0) { count, file in
      guard case .checkpoint(_, let entries) = file.content else { return count }
      return count + entries.count
    }
  }

  /// Writes the text to an output without committing it.
  ///
  /// - Throws: `inputOutput` if there is no space.
  package func write(into output: StagedOutput) throws(CheckpointError) {
    var plan = FilePlan()
    plan.append(.literal(bytes))
    try CopyEngine(threadCount: 1).run(plan, into: output)
  }
}

internal import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan
internal import CkptSafetensors

/// A list of what a checkpoint holds, with a SHA-256 for every tensor and value.
///
/// It is enough to tell later whether a checkpoint in any format is the same.
/// `Documentation/manifest.md` specifies it.
public struct Manifest: Sendable {
  /// A tensor or another value.
  struct Entry: Sendable {
    enum Kind: Hashable, Sendable {
      /// A tensor with the name of its element type and its shape.
      case tensor(dtype: String, shape: [Int], byteCount: Int)
      /// Another value, much like Python's `repr` gives it, for people.
      case value(text: String)
    }

    /// The name that layout `plain` gives it.
    var name: String
    var kind: Kind
    /// The digest; `nil` for what has no bytes and for values that hold themselves.
    var digest: SHA256.Digest?
  }

  /// A part of the checkpoint.
  struct File: Sendable {
    enum Content: Sendable {
      /// Tensors and values in their order, and the digest of the object without the bytes of its
      /// tensors; `nil` where a file tells names and values only, or the object holds itself.
      case checkpoint(structure: SHA256.Digest?, entries: [Entry])
      /// A file that is compared byte by byte.
      case bytes(byteCount: Int, digest: SHA256.Digest)
    }

    /// `model`, `optim` and so on for a part of the checkpoint; the name of another file.
    var name: String
    var content: Content
  }

  /// The parts, those with tensors first.
  var files: [File]
}

extension Manifest.File {
  /// Describes a checkpoint, of which all bytes are read.
  ///
  /// - Throws: `checksumMismatch` when it is damaged, and what reading it throws.
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

  /// The entries for names that the metadata of a safetensors file ties to those it has.
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

  /// Describes a file whose content means nothing here.
  ///
  /// - Throws: `inputOutput` when it cannot be read.
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
  /// Describes a tensor whose bytes have that digest; without any, a tensor without bytes.
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
  /// Whether the file tells all that the object is, and not names and values only.
  var tellsStructure: Bool {
    guard case .objects = side.structure else { return false }
    return true
  }
}

/// Makes manifests of checkpoints.
public struct ManifestMaker: Sendable {
  /// The result of writing a manifest.
  public struct Report: Sendable {
    /// The manifest.
    public var path: String
    /// The names of what it describes.
    public var files: [String]
    /// The number of tensors and values that it lists.
    public var entryCount: Int
    /// The things that the user should know of the files.
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

  private let budget: CopyBudget
  private let writing: WritingOptions

  /// A maker that replaces a manifest that exists only if `writing` says so.
  public init(budget: CopyBudget = CopyBudget(), writing: WritingOptions = WritingOptions()) {
    self.budget = budget
    self.writing = writing
  }

  /// Writes the manifest of what is at `path` to the file `output`.
  ///
  /// - Parameters:
  ///   - path: a file, the index of a checkpoint in several files, or a directory.
  ///   - output: the manifest.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: what was written.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public func write(
    of path: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> Report {
    let members = try CheckpointMembers(of: path)
    try FilePath(output).requireApart(
      from: members.states.map(\.path) + members.files.map { members.path.appending($0).text },
      remedy: "give the manifest a name of its own")
    // What stands in the way should not be found out after reading all bytes.
    let staged = try StagedOutput(path: output, writing)
    let (manifest, warnings) = try Manifest.make(
      of: path, ReadingOptions(), budget: budget, progress: progress)
    try manifest.write(into: staged)
    try staged.commit()
    return Report(
      path: output, files: manifest.files.map(\.name), entryCount: manifest.entryCount,
      warnings: warnings)
  }
}

extension Manifest {
  /// Describes what is at a path: a file, the index of a checkpoint in several files, or a directory.
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

  /// Writes the text to an output, which is not committed.
  ///
  /// - Throws: `inputOutput` when there is no room.
  package func write(into output: StagedOutput) throws(CheckpointError) {
    var plan = FilePlan()
    plan.append(.literal(bytes))
    try CopyEngine(threadCount: 1).run(plan, into: output)
  }
}

internal import Bytes
internal import JSON
internal import Plan
public import Formats

/// Makes manifests of checkpoints.
public struct ManifestMaker: Sendable {
  /// What was written.
  public struct Report: Sendable {
    /// The manifest.
    public var path: String
    /// The names of what it describes.
    public var files: [String]
    /// How many tensors and values it lists.
    public var entryCount: Int
    /// What the user should know of the files.
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
  private let replacesExisting: Bool

  /// A maker that replaces a manifest that exists only if told so.
  public init(budget: CopyBudget = CopyBudget(), replacingExisting replacesExisting: Bool = false) {
    self.budget = budget
    self.replacesExisting = replacesExisting
  }

  /// Writes the manifest of what is at `path` to the file `output`.
  ///
  /// - Parameters:
  ///   - path: a file, the index of a checkpoint in several files, or a directory.
  ///   - output: the manifest.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: what was written.
  /// - Throws: ``FormatError`` with the file in its path.
  public func write(
    of path: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> Report {
    let members = try CheckpointMembers(of: path)
    try FilePath(output).requireApart(
      from: members.states.map(\.path) + members.files.map { members.path.appending($0).text })
    // What stands in the way should not be found out after reading all bytes.
    let staged = try StagedOutput(path: output, replacing: replacesExisting)
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
  /// - Throws: ``FormatError`` with the file in its path.
  static func make(
    of path: String, _ options: ReadingOptions, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(FormatError) -> (Manifest, warnings: [String]) {
    let members = try CheckpointMembers(of: path)
    var manifest = Manifest(files: [])
    var warnings: [String] = []
    for state in members.states {
      let checkpoint = try CheckpointFile.read(state.path, options)
      warnings += checkpoint.warnings.map { "\(state.path): \($0)" }
      manifest.files.append(
        try FormatError.within(state.path) { () throws(FormatError) in
          try File(checkpoint, named: state.name, budget: budget, progress: progress)
        })
    }
    for name in members.files {
      manifest.files.append(
        try File(bytesOf: members.path.appending(name).text, named: name))
    }
    return (manifest, warnings)
  }

  /// How many tensors and values there are.
  var entryCount: Int {
    files.reduce(0) { count, file in
      guard case .checkpoint(_, let entries) = file.content else { return count }
      return count + entries.count
    }
  }

  /// Writes the text to an output, which is not committed.
  ///
  /// - Throws: `inputOutput` when there is no room.
  func write(into output: StagedOutput) throws(FormatError) {
    var plan = FilePlan()
    plan.append(.literal(bytes))
    try CopyEngine(threadCount: 1).run(plan, into: output)
  }
}

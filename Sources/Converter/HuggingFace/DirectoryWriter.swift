package import CkptBase
internal import CkptCheckpoints
package import CkptCompare
internal import CkptConvert
internal import CkptCopy
internal import CkptFormats
internal import CkptPlan

/// Writes files that appear in one directory all together.
///
/// A new or empty directory appears complete or not at all. Files are written into a directory with
/// files only if replacing was requested. Other files stay, except that old weights must not be
/// mistaken for the new ones.
package struct DirectoryWriter {
  /// A file to write.
  struct File {
    /// The name below the directory.
    var name: String
    /// The source of the bytes, for messages.
    var source: String
    /// The bytes.
    var plan: FilePlan
  }

  /// A function that compares a directory, before it appears, with the input.
  package typealias Verification = (
    _ directory: String, _ progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> VerifyReport

  private let path: String
  private let options: DirectoryOptions
  private let verification: Verification

  /// Creates a writer for the directory `path`, which `verification` compares with the input if
  /// `options` say so.
  package init(_ path: String, _ options: DirectoryOptions, verification: @escaping Verification) {
    self.path = path
    self.options = options
    self.verification = verification
  }

  /// Returns whether the directory has files already.
  ///
  /// - Throws: `inputOutput` if it has files that must not be replaced.
  func requireWritable() throws(CheckpointError) -> Bool {
    guard let status = try FilePath(path).status() else { return false }
    guard status.isDirectory else { throw .occupiedDirectory(path) }
    let names = try Syscalls.names(in: path)
    guard names.isEmpty || options.writing.replacesExisting else {
      throw .occupiedDirectory(path)
    }
    return !names.isEmpty
  }

  /// Writes the files of a plan.
  ///
  /// The plan is only made if the directory is writable.
  ///
  /// - Throws: the errors of `plan` and of writing; then no file appears.
  package func write(
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void,
    _ makePlan: () throws(CheckpointError) -> DirectoryPlan
  ) throws(CheckpointError) -> DirectoryReport {
    _ = try requireWritable()
    let plan = try makePlan()
    try write(plan.files, progress: progress)
    return plan.report
  }

  /// Writes all of `files`.
  ///
  /// - Throws: an error if a file cannot be written; then no file appears.
  func write(
    _ files: [File], progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) {
    let hasFiles = try requireWritable()
    if hasFiles {
      try requireNoStaleWeights(files)
      let sources = Set(names: files.map(\.source)).map(\.text)
      for file in files {
        try FilePath(path).appending(file.name).requireApart(
          from: sources, remedy: "write to a new directory")
      }
    }
    if try StagedDirectory.canAppear(at: path) {
      try create(files, progress)
    } else {
      try replace(files, progress)
    }
  }

  private func create(
    _ files: [File], _ progress: @escaping @Sendable (Int, Int) -> Void
  ) throws(CheckpointError) {
    let directory = try StagedDirectory(
      path: path, inner: Self.innerDirectories(of: files), hidden: options.hiddenDirectory)
    do throws(CheckpointError) {
      try run(files, progress, below: FilePath(path).directory.text, in: nil) {
        directory.place(of: $0)
      }
      if options.verifiesOutputs {
        try verify(verification(directory.hiddenPath, progress))
      }
      try directory.commit(synchronizing: options.writing.synchronizes)
    } catch {
      directory.discard(files.map(\.name))
      throw error
    }
  }

  private func replace(
    _ files: [File], _ progress: @escaping @Sendable (Int, Int) -> Void
  ) throws(CheckpointError) {
    let directory = FilePath(path)
    let directories = OutputDirectories()
    do throws(CheckpointError) {
      try run(files, progress, below: path, in: directories) { directory.appending($0).text }
    } catch {
      directories.discard()
      throw error
    }
  }

  private func run(
    _ files: [File], _ progress: @escaping @Sendable (Int, Int) -> Void,
    below existing: String, in directories: OutputDirectories?, at place: (String) -> String
  ) throws(CheckpointError) {
    var outputs: [StagedOutput] = []
    for file in files {
      outputs.append(
        try StagedOutput(path: place(file.name), options.writing, in: directories))
    }
    var series = PlanSeries(
      files.map(\.plan), budget: options.budget,
      progress: progress)
    try FreeSpace.require(series.byteCount, in: existing)
    for group in Self.groups(of: files) {
      var plan = FilePlan()
      for file in files[group] { plan.append(contentsOf: file.plan) }
      let joined = JoinedOutput(group.map { (outputs[$0], files[$0].plan.byteCount) })
      try series.run(plan, into: joined, from: files[group.lowerBound].source)
    }
    for (file, output) in zip(files, outputs) {
      // Files among others have no names yet under which they could be read as a checkpoint.
      guard options.verifiesOutputs, directories != nil else { continue }
      let found = try file.plan.differences(
        from: output.makeSource(), budget: options.budget, progress: progress)
      guard found.isEmpty else {
        throw OutputVerification.mismatch("the bytes of \(file.name) differ")
      }
    }
    try StagedOutput.commit(outputs)
  }

  /// Returns the runs of files from one source, which is read once for all of them.
  private static func groups(of files: [File]) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    for index in files.indices {
      if let last = groups.last, files[last.lowerBound].source == files[index].source {
        groups[groups.count - 1] = last.lowerBound..<index + 1
      } else {
        groups.append(index..<index + 1)
      }
    }
    return groups
  }

  private func verify(_ report: VerifyReport) throws(CheckpointError) {
    if let failure = report.failures.first { throw failure.error }
    try OutputVerification.requireNone(
      report.differences + report.findings.flatMap(\.differences),
      count: report.findings.reduce(report.differences.count) { $0 + $1.differenceCount })
  }

  private static func innerDirectories(of files: [File]) -> [String] {
    var names: [FilePath] = []
    for file in files {
      let name = FilePath(file.name).directory
      if name.text != ".", !names.contains(name) { names.append(name) }
    }
    return names.map(\.text)
  }

  /// Refuses weights of an earlier run beside new ones, because readers use the first ones they
  /// find.
  ///
  /// The same holds for files that the way back would use.
  private func requireNoStaleWeights(_ files: [File]) throws(CheckpointError) {
    let written = Set(names: files.map(\.name))
    let names = try FilePath(path).entryNames()
    var stale = names.first { !written.contains($0) && WeightsFile.isName($0) }
    for name in HuggingFaceFolder.companions + PreservedConfig.names
    where stale == nil && !written.contains(name) {
      if try FilePath(path).appending(name).status() != nil { stale = name }
    }
    guard let stale else { return }
    throw CheckpointError(
      .unsupported,
      "this directory has '\(stale)', which would not be replaced: programs could read it "
        + "instead of the new weights",
      remedy: "remove it, or write to a new directory"
    ).framed(by: path)
  }
}

/// The names of files in which programs look for weights.
private enum WeightsFile {
  static func isName(_ name: String) -> Bool {
    let isWeights = ["model", "pytorch_model", "optim", "optimizer"].contains {
      name.hasPrefix($0 + ".") || name.hasPrefix($0 + "-")
    }
    return isWeights
      && [".safetensors", ".bin", ".pt", ".index.json"].contains(where: name.hasSuffix)
  }
}

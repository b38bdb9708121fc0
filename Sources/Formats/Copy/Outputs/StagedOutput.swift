package import CkptBase
internal import CkptPlan

/// An output file that appears under its name only when it is complete.
///
/// Until ``commit()`` the bytes lie in a file without a name in the same directory, so a run that
/// fails, or is killed, leaves nothing behind and an existing file stays what it was. Since the
/// output is always a new file, a source may be replaced by its own conversion.
package final class StagedOutput: CopyDestination {
  /// The path the file will have.
  package let path: String
  private let directory: String
  private let directories: OutputDirectories
  private let options: WritingOptions
  private let file: ScratchFile

  /// Prepares to make the file `path`.
  ///
  /// A file that is replaced stays what it is until the end; a symbolic link is replaced itself and
  /// what it points to is left alone. To wait for the disk is off by default because `cp` does not
  /// wait either and it can take longer than the copy: a file lost to a power cut can be made again
  /// from its source. Where the directory is missing, it is made as one of `directories`.
  /// - Throws: `inputOutput` when the name is taken, or the directory is not writable, or missing and not
  ///   to be made.
  package init(
    path: String, _ options: WritingOptions = WritingOptions(),
    in directories: OutputDirectories? = nil
  ) throws(CheckpointError) {
    self.path = path
    self.directories = directories ?? OutputDirectories()
    self.options = options
    directory = FilePath(path).directory.text
    guard !path.isEmpty else { throw .missing(path) }
    // The file a link leads to decides what may not be replaced, a link to nowhere is a name.
    let link = try Syscalls.status(at: path, followingLinks: false)
    if let status = try Syscalls.status(at: path) ?? link {
      let isFile = status.isRegular || status.isSymbolicLink
      guard options.replacesExisting, isFile else { throw .occupied(path, status) }
    }
    guard path.utf8.last != UInt8(ascii: "/") else { throw .missing(path) }
    guard let directories else {
      file = try ScratchFile(in: directory, label: path)
      return
    }
    file = try directories.providing(directory) { [directory] () throws(CheckpointError) in
      try ScratchFile(in: directory, label: path)
    }
  }

  /// Never: bytes may be written anywhere in any order.
  package var isSequential: Bool { false }

  /// The directory of the output: who has room for the output has some for its parts.
  package var scratchDirectory: String { directory }

  /// Makes room for `byteCount` bytes.
  ///
  /// - Throws: `inputOutput` when there is not enough.
  package func prepare(byteCount: Int) throws(CheckpointError) {
    try file.prepare(byteCount: byteCount)
  }

  /// Writes `bytes` at `offset`.
  ///
  /// - Throws: `inputOutput` when that fails.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    try file.write(bytes, at: offset)
  }

  /// The file for reading what it holds before it has its name, once everything is written.
  ///
  /// - Throws: `inputOutput` when the system is short of descriptors.
  package func makeSource() throws(CheckpointError) -> FileSource {
    try file.makeSource()
  }

  /// Gives the file its name; to be called once, when everything is written.
  ///
  /// - Throws: `inputOutput` when the name has been taken meanwhile and is not to be replaced.
  package func commit() throws(CheckpointError) {
    try StagedOutput.commit([self])
  }

  /// Gives several files their names: all of them, or as far as the system allows, none.
  ///
  /// What can fail for one is done for all before anything visible happens. New files are taken
  /// back when a later one fails; a file that has been replaced is not.
  /// - Throws: `inputOutput` when a name has been taken meanwhile and is not to be replaced.
  package static func commit(_ outputs: [StagedOutput]) throws(CheckpointError) {
    do throws(CheckpointError) {
      for output in outputs where output.options.synchronizes { try output.file.synchronize() }
      for output in outputs where output.options.replacesExisting { try output.prepareToReplace() }
      try publish(outputs)
    } catch {
      for output in outputs { output.directories.discard() }
      throw error
    }
  }

  private static func publish(_ outputs: [StagedOutput]) throws(CheckpointError) {
    var published: [String] = []
    do throws(CheckpointError) {
      for output in outputs where !output.options.replacesExisting {
        try output.publish()
        published.append(output.path)
      }
      for output in outputs where output.options.replacesExisting {
        try output.file.replace(output.path)
      }
      let synchronized = outputs.filter(\.options.synchronizes)
      for directory in Set(synchronized.flatMap { [$0.directory] + $0.directories.parents }) {
        try Syscalls.synchronize(directory: directory)
      }
    } catch {
      for path in published { try? Syscalls.remove(path) }
      throw error
    }
  }

  private func publish() throws(CheckpointError) {
    try directories.providing(directory) { () throws(CheckpointError) in
      try file.publish(as: path)
    }
  }

  private func prepareToReplace() throws(CheckpointError) {
    try directories.providing(directory) { () throws(CheckpointError) in
      try file.prepareToReplace()
    }
  }
}

extension StagedOutput {
  /// Writes a file of these bytes, which appears when it is complete, and its directory if that is
  /// missing.
  ///
  /// - Throws: `inputOutput` when the name is taken, or the file cannot be written.
  package static func write(
    _ bytes: [UInt8], to path: String, _ options: WritingOptions = WritingOptions()
  ) throws(CheckpointError) {
    let directories = OutputDirectories()
    var plan = FilePlan()
    plan.append(.literal(bytes))
    do throws(CheckpointError) {
      let output = try StagedOutput(path: path, options, in: directories)
      try CopyEngine(threadCount: 1).run(plan, into: output)
      try commit([output])
    } catch {
      directories.discard()
      throw error
    }
  }
}

/// The directories that a run makes where its outputs need them, and takes away again if it fails.
///
/// Runs that begin at the same time may need the same one. A run that fails removes what it made if
/// that is empty, and it is as long as outputs in it have no names yet (``StagedOutput``). Those make
/// their directory again when it has gone.
package final class OutputDirectories: Sendable {
  /// How often a directory is made again.
  ///
  /// To need it even twice, another run has to fail between two system calls of this one.
  private static let attempts = 16

  private let made = Locked<[String]>([])

  /// None yet.
  package init() {}

  /// Removes what was made, as far as it is empty.
  package func discard() {
    made.withLock { $0 = Syscalls.removeEmptyDirectories($0) }
  }

  /// Runs what needs `directory` to exist, and once more with a new one when it has gone.
  func providing<Result>(
    _ directory: String, _ body: () throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    for _ in 1..<Self.attempts {
      do throws(CheckpointError) {
        return try body()
      } catch {
        guard error.cause?.isMissing == true else { throw error }
      }
      let new = try Syscalls.makeDirectories(directory)
      made.withLock { $0 += new }
    }
    return try body()
  }

  /// The directories in which the names of those that were made are.
  var parents: [String] {
    made.withLock { made in made.map { FilePath($0).directory.text } }
  }
}

package import CkptBase
internal import CkptPlan

/// An output file that appears only when it is complete.
///
/// Until ``commit()`` the bytes are in an unnamed file in the same directory. So a failed or killed
/// run leaves nothing behind, and an existing file stays unchanged. The output is always a new
/// file, so a source can be replaced by its own conversion.
package final class StagedOutput: CopyDestination {
  /// The path of the file.
  package let path: String
  private let directory: String
  private let directories: OutputDirectories
  private let options: WritingOptions
  private let file: ScratchFile

  /// Prepares the file `path`.
  ///
  /// A file to replace stays unchanged until the end. A symbolic link is replaced itself, not its
  /// target. Syncing is off by default: `cp` does not sync either, it can take longer than the
  /// copy, and a file lost in a power failure can be made again. A missing directory is created as
  /// one of `directories`.
  /// - Throws: `inputOutput` if the name is taken, or if the directory is not writable, or missing
  ///   and not to be created.
  package init(
    path: String, _ options: WritingOptions = WritingOptions(),
    in directories: OutputDirectories? = nil
  ) throws(CheckpointError) {
    self.path = path
    self.directories = directories ?? OutputDirectories()
    self.options = options
    directory = FilePath(path).directory.text
    guard !path.isEmpty else { throw .missing(path) }
    // The target of a link decides whether it may be replaced; a broken link is just a name.
    let link = try Syscalls.status(at: path, followingLinks: false)
    if let status = try Syscalls.status(at: path) ?? link {
      let isFile = status.isRegular || status.isSymbolicLink
      guard options.replacesExisting, isFile else { throw .occupied(path, status) }
    }
    guard path.utf8.last != UInt8(ascii: "/") else { throw .missing(path) }
    guard let directories else {
      do {
        file = try ScratchFile(in: directory, label: path)
      } catch {
        var failure = error
        if error.cause?.isMissing == true { failure.remedy = "create the directory first" }
        throw failure
      }
      return
    }
    file = try directories.providing(directory) { [directory] () throws(CheckpointError) in
      try ScratchFile(in: directory, label: path)
    }
  }

  /// False: bytes can be written anywhere in any order.
  package var isSequential: Bool { false }

  /// Scratch files go to the output's directory: the same file system.
  package var scratchDirectory: String { directory }

  /// Reserves space for `byteCount` bytes.
  ///
  /// - Throws: `inputOutput` if there is not enough.
  package func prepare(byteCount: Int) throws(CheckpointError) {
    try file.prepare(byteCount: byteCount)
  }

  /// Writes `bytes` at `offset`.
  ///
  /// - Throws: `inputOutput` if that fails.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    try file.write(bytes, at: offset)
  }

  /// Returns the file for reading before it has its name, after everything was written.
  ///
  /// - Throws: `inputOutput` if there are no free descriptors.
  package func makeSource() throws(CheckpointError) -> FileSource {
    try file.makeSource()
  }

  /// Gives the file its name; called once, after everything was written.
  ///
  /// - Throws: `inputOutput` if the name was taken in the meantime and must not be replaced.
  package func commit() throws(CheckpointError) {
    try StagedOutput.commit([self])
  }

  /// Gives several files their names: all of them or, as far as the system allows, none.
  ///
  /// Steps that can fail are done for all files before anything visible happens. New files are
  /// removed if a later one fails; a replaced file is not restored.
  /// - Throws: `inputOutput` if a name was taken in the meantime and must not be replaced.
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
  /// Writes `bytes` to a file, which appears when it is complete.
  ///
  /// It creates the directory if needed.
  ///
  /// - Throws: `inputOutput` if the file exists or cannot be written.
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

/// The directories that a run creates for its outputs, and removes if it fails.
///
/// Runs that start at the same time can need the same directory. A failed run removes its empty
/// directories, and a directory is empty as long as its outputs have no names (``StagedOutput``).
/// Then the other runs create it again.
package final class OutputDirectories: Sendable {
  /// The maximum number of attempts to create a directory.
  ///
  /// Even a second attempt needs another run that fails between two system calls of this one.
  private static let attempts = 16

  private let made = Locked<[String]>([])

  /// Creates an empty list.
  package init() {}

  /// Removes the created directories that are empty.
  package func discard() {
    made.withLock { $0 = Syscalls.removeEmptyDirectories($0) }
  }

  /// Runs `body`, which needs `directory`, and again with a new directory if it disappeared.
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

  /// The parents of the created directories.
  var parents: [String] {
    made.withLock { made in made.map { FilePath($0).directory.text } }
  }
}

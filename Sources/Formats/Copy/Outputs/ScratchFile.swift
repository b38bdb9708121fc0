package import CkptBase
package import CkptPlan

/// A file that is not visible yet: unnamed, if the file system supports it.
///
/// An unnamed file disappears with its last descriptor, even if the program is killed. Otherwise
/// the file has a hidden temporary name, which is removed unless the file is published.
final class ScratchFile: CopyDestination {
  private let descriptor: Int32
  private let directory: String
  private let label: String
  private let temporaryName: Locked<String?>

  /// Creates an empty file in `directory`, which messages call `label`.
  ///
  /// - Throws: `inputOutput` if the directory is missing, full or not writable.
  init(in directory: String, label: String) throws(CheckpointError) {
    self.directory = directory
    self.label = label
    if let unnamed = try Syscalls.createUnnamed(in: directory) {
      if Syscalls.canNameUnnamed(unnamed) {
        descriptor = unnamed
        temporaryName = Locked(nil)
        return
      }
      Syscalls.close(unnamed)
    }
    let name = ScratchFile.newName(in: directory)
    do {
      descriptor = try Syscalls.open(name, .createNew)
    } catch {
      // The user did not choose this name.
      var error = error
      error.path = [directory]
      throw error
    }
    temporaryName = Locked(name)
  }

  deinit {
    forgetName()
    Syscalls.close(descriptor)
  }

  private static func newName(in directory: String) -> String {
    let number = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    return directory + "/.ckptconv-" + number + ".tmp"
  }

  var isSequential: Bool { false }
  var scratchDirectory: String { directory }

  func prepare(byteCount: Int) throws(CheckpointError) {
    try FreeSpace.require(byteCount, in: directory)
    try Syscalls.reserve(descriptor, byteCount: byteCount, path: label)
  }

  func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    try Syscalls.write(descriptor, at: offset, bytes, path: label)
  }

  /// Returns the file for reading.
  func makeSource() throws(CheckpointError) -> FileSource {
    try FileSource(descriptor: Syscalls.duplicate(descriptor, path: label), path: label)
  }

  /// Removes the temporary name, if there is one.
  func forgetName() {
    temporaryName.withLock { name in
      if let path = name { try? Syscalls.remove(path) }
      name = nil
    }
  }

  /// Waits until the bytes are on the disk.
  func synchronize() throws(CheckpointError) {
    try Syscalls.synchronize(descriptor, path: label)
  }

  /// Gives the file an unused name.
  func publish(as path: String) throws(CheckpointError) {
    try temporaryName.withLock { name throws(CheckpointError) in
      if let temporary = name {
        try Syscalls.rename(temporary, toFree: path)
      } else {
        try Syscalls.nameUnnamed(descriptor, path)
      }
      name = nil
    }
  }

  /// Gives the file a temporary name, so that only a rename is left to do.
  func prepareToReplace() throws(CheckpointError) {
    try temporaryName.withLock { name throws(CheckpointError) in
      guard name == nil else { return }
      let temporary = ScratchFile.newName(in: directory)
      try Syscalls.nameUnnamed(descriptor, temporary)
      name = temporary
    }
  }

  /// Replaces the file with the name `path`.
  func replace(_ path: String) throws(CheckpointError) {
    try prepareToReplace()
    try temporaryName.withLock { name throws(CheckpointError) in
      guard let temporary = name else { return }
      try Syscalls.rename(temporary, replacing: path)
      name = nil
    }
  }
}

/// An unnamed output that is read again; it disappears when it is closed.
package final class TemporaryOutput: CopyDestination {
  private let file: ScratchFile

  /// Creates an empty file in `directory`.
  ///
  /// - Throws: `inputOutput` if the directory is missing, full or not writable.
  package init(in directory: String) throws(CheckpointError) {
    file = try ScratchFile(in: directory, label: directory + ": temporary file")
    file.forgetName()
  }

  /// False: bytes can be written anywhere in any order.
  package var isSequential: Bool { false }

  /// The directory of the file.
  package var scratchDirectory: String { file.scratchDirectory }

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

  /// Returns the file for reading, after everything was written; it outlives this object.
  ///
  /// - Throws: `inputOutput` if there are no free descriptors.
  package func makeSource() throws(CheckpointError) -> FileSource {
    try file.makeSource()
  }
}

extension TemporaryOutput {
  /// Returns an unnamed file with the output of `plan`, in the user's directory for temporary
  /// files.
  ///
  /// - Throws: the errors of ``CopyEngine/run(_:into:)``.
  package static func holding(
    _ plan: FilePlan, budget: CopyBudget = CopyBudget()
  ) throws(CheckpointError) -> FileSource {
    let output = try TemporaryOutput(in: Syscalls.temporaryDirectory())
    try CopyEngine(budget).run(plan, into: output)
    return try output.makeSource()
  }
}

/// The check of free space before the work, so that a full disk is noticed at once.
package enum FreeSpace: Sendable {
  /// Checks that `byteCount` bytes fit the file system of `directory`.
  ///
  /// - Throws: `inputOutput` with both numbers if they do not.
  package static func require(_ byteCount: Int, in directory: String) throws(CheckpointError) {
    let available: Int?
    do throws(CheckpointError) {
      available = try Syscalls.availableBytes(at: directory)
    } catch {
      // A missing directory is noticed, or created again, when an output is committed.
      guard error.cause?.isMissing == true else { throw error }
      return
    }
    guard let available, byteCount > available else { return }
    var error = CheckpointError.outOfSpace(directory)
    error.message =
      "not enough space: \(ByteCount(bytes: byteCount)) needed, \(ByteCount(bytes: available)) free"
    throw error
  }
}

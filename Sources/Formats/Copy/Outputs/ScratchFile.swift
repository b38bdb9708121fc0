package import CkptBase
package import CkptPlan

/// A file that nobody sees yet: without a name where the file system can do that.
///
/// Without a name it vanishes with its last descriptor, even when the program is killed. Elsewhere
/// it has a hidden temporary name, which is removed unless the file is published.
final class ScratchFile: CopyDestination {
  private let descriptor: Int32
  private let directory: String
  private let label: String
  private let temporaryName: Locked<String?>

  /// Makes an empty file in `directory`, which messages call `label`.
  ///
  /// - Throws: `inputOutput` when the directory is missing, full or not writable.
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
      // Nobody has asked for the name.
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

  /// The same file, for reading what has been written.
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

  /// Gives the file a name that must be free.
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

  /// Gives the file a temporary name, so that a rename is all that is left to do.
  func prepareToReplace() throws(CheckpointError) {
    try temporaryName.withLock { name throws(CheckpointError) in
      guard name == nil else { return }
      let temporary = ScratchFile.newName(in: directory)
      try Syscalls.nameUnnamed(descriptor, temporary)
      name = temporary
    }
  }

  /// Puts the file in the place of whatever has the name `path`.
  func replace(_ path: String) throws(CheckpointError) {
    try prepareToReplace()
    try temporaryName.withLock { name throws(CheckpointError) in
      guard let temporary = name else { return }
      try Syscalls.rename(temporary, replacing: path)
      name = nil
    }
  }
}

/// An output that is read again and never gets a name: it is gone when nobody has it open.
package final class TemporaryOutput: CopyDestination {
  private let file: ScratchFile

  /// Makes an empty file in `directory`.
  ///
  /// - Throws: `inputOutput` when the directory is missing, full or not writable.
  package init(in directory: String) throws(CheckpointError) {
    file = try ScratchFile(in: directory, label: directory + ": temporary file")
    file.forgetName()
  }

  /// Never: bytes may be written anywhere in any order.
  package var isSequential: Bool { false }

  /// The directory that the file is in.
  package var scratchDirectory: String { file.scratchDirectory }

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

  /// The file for reading, once everything is written; it outlives this object.
  ///
  /// - Throws: `inputOutput` when the system is short of descriptors.
  package func makeSource() throws(CheckpointError) -> FileSource {
    try file.makeSource()
  }
}

extension TemporaryOutput {
  /// A file without a name, in the user's directory for temporary files, that holds what `plan`
  /// describes.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  package static func holding(
    _ plan: FilePlan, budget: CopyBudget = CopyBudget()
  ) throws(CheckpointError) -> FileSource {
    let output = try TemporaryOutput(in: Syscalls.temporaryDirectory())
    try CopyEngine(budget).run(plan, into: output)
    return try output.makeSource()
  }
}

/// The check before the work: a disk that fills up after an hour is found out in the first second.
package enum FreeSpace: Sendable {
  /// Makes sure that `byteCount` bytes fit the file system that holds `directory`.
  ///
  /// - Throws: `inputOutput` with both numbers when they do not.
  package static func require(_ byteCount: Int, in directory: String) throws(CheckpointError) {
    let available: Int?
    do throws(CheckpointError) {
      available = try Syscalls.availableBytes(at: directory)
    } catch {
      // A directory that has gone is found out, or made again, when something is to appear in it.
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

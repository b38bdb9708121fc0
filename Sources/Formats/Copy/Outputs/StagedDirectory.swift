package import CkptBase

/// A new directory that appears only when everything in it is complete.
///
/// Its files are made in a hidden directory beside it, where they have no names before ``commit()``
/// either (``StagedOutput``). A failed run leaves nothing behind. A killed run leaves at most the
/// hidden directory, which is empty except for a moment at the end.
package final class StagedDirectory: Sendable {
  /// The path of the directory.
  package let path: String
  /// The hidden directory for its files.
  private let place: String
  /// The missing parent directories that were created, and the hidden one with its contents.
  private let made = Locked<[String]>([])

  /// Prepares the directory `path` with the subdirectories `inner`.
  ///
  /// - Parameters:
  ///   - path: its path.
  ///   - inner: its subdirectories.
  ///   - hidden: the directory for its files on the same file system, for callers that
  ///     look for the remains of killed runs; `nil` for a new name beside it.
  /// - Throws: `inputOutput` if something other than an empty directory exists, or without
  ///   permission.
  package init(
    path: String, inner: [String] = [], hidden: String? = nil
  ) throws(CheckpointError) {
    let path = FilePath(path).trimmed.text
    self.path = path
    place = hidden ?? Self.hiddenPath(beside: path)
    try Self.requireFree(path)
    try Self.requireFree(place)
    var directories = try Syscalls.makeDirectories(place)
    // The remains of a killed run with this name belong to this run.
    if !directories.contains(place) { directories.append(place) }
    made.withLock { [directories] in $0 = directories }
    do throws(CheckpointError) {
      for name in inner {
        let more = try Syscalls.makeDirectories("\(place)/\(name)")
        made.withLock { $0 += more }
      }
    } catch {
      Syscalls.removeEmptyDirectories(made.withLock { $0 })
      throw error
    }
  }

  /// Whether a directory can appear at `path` as a whole: there is nothing, or an empty directory.
  ///
  /// The current directory of the program cannot be replaced.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package static func canAppear(at path: String) throws(CheckpointError) -> Bool {
    guard ![".", ".."].contains(FilePath(path).name) else { return false }
    guard let status = try FilePath(path).status() else { return true }
    guard status.isDirectory else { return false }
    return try FilePath(path).entryNames().isEmpty
  }

  /// The path of the directory before it appears.
  package var hiddenPath: String { place }

  /// Returns the temporary path of a file of the directory.
  package func place(of name: String) -> String { "\(place)/\(name)" }

  /// Returns the temporary target of `target`, if it is in the directory; otherwise `target`.
  package func place(of target: OutputTarget) -> OutputTarget {
    guard let file = target.path.map({ FilePath($0) }), file.directory == FilePath(path) else {
      return target
    }
    return .file(place(of: file.name))
  }

  /// Gives the directory its name, after all of its files have theirs.
  ///
  /// With `synchronizing`, waits until the name is on the disk.
  ///
  /// - Throws: `inputOutput` if the name was taken in the meantime.
  package func commit(synchronizing: Bool = false) throws(CheckpointError) {
    // An empty directory of that name is replaced, anything else is not.
    try Syscalls.rename(place, replacing: path)
    do throws(CheckpointError) {
      if synchronizing { try synchronizeParents() }
    } catch {
      try? Syscalls.rename(path, replacing: place)
      throw error
    }
    made.withLock { $0 = [] }
  }

  private func synchronizeParents() throws(CheckpointError) {
    // The directories inside the hidden one were synced with their files.
    let outer = made.withLock { $0.map { FilePath($0).directory.text } }
      .filter { !FilePath($0).appending("").text.begins(with: "\(place)/") }
    for directory in Set(names: outer + [FilePath(path).directory.text]) {
      try Syscalls.synchronize(directory: directory.text)
    }
  }

  /// Removes everything that was created, including files with the given names, unless it is
  /// committed.
  package func discard(_ files: [String]) {
    made.withLock { made in
      guard !made.isEmpty else { return }
      for name in files { try? Syscalls.remove("\(place)/\(name)") }
      Syscalls.removeEmptyDirectories(made)
      made = []
    }
  }

  private static func hiddenPath(beside path: String) -> String {
    let number = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let name = ".ckptconv-\(number).tmp"
    return "\(FilePath(path).directory.text)/\(name)"
  }

  private static func requireFree(_ path: String) throws(CheckpointError) {
    guard let status = try Syscalls.status(at: path, followingLinks: false) else { return }
    guard status.isDirectory, try Syscalls.names(in: path).isEmpty else {
      throw .occupiedDirectory(path)
    }
  }
}

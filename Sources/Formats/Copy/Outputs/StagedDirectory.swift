package import CkptBase

/// A new directory that appears under its name only when everything in it is complete.
///
/// Files are made in a hidden directory beside it, where they have no names before ``commit()``
/// either (``StagedOutput``). A run that fails leaves nothing behind; one that is killed leaves at
/// most the hidden directory, which is empty but for one moment at the end.
package final class StagedDirectory: Sendable {
  /// The path the directory will have.
  package let path: String
  /// Where its files are meanwhile.
  private let place: String
  /// The directories above that did not exist, and the hidden one with those in it.
  private let made = Locked<[String]>([])

  /// Prepares to make the directory `path`, and inside of it the directories `inner`.
  ///
  /// - Parameters:
  ///   - path: where it will be.
  ///   - inner: the directories in it.
  ///   - hidden: where its files are meanwhile, on the same file system, for callers that want to
  ///     find what a run that was killed has left; `nil` for a new name beside it.
  /// - Throws: `inputOutput` when there is something else than an empty directory, or no permission.
  package init(
    path: String, inner: [String] = [], hidden: String? = nil
  ) throws(CheckpointError) {
    let path = FilePath(path).trimmed.text
    self.path = path
    place = hidden ?? Self.hiddenPath(beside: path)
    try Self.requireFree(path)
    try Self.requireFree(place)
    var directories = try Syscalls.makeDirectories(place)
    // What a run that was killed has left of this name is this one's now.
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
  /// The directory that the program is in cannot be put in the place of itself.
  /// - Throws: `inputOutput` when the system does not tell.
  package static func canAppear(at path: String) throws(CheckpointError) -> Bool {
    guard ![".", ".."].contains(FilePath(path).name) else { return false }
    guard let status = try FilePath(path).status() else { return true }
    guard status.isDirectory else { return false }
    return try FilePath(path).entryNames().isEmpty
  }

  /// The path at which to make a file of the directory, until it is committed.
  package func place(of name: String) -> String { "\(place)/\(name)" }

  /// The place at which to make what `target` will be: another one if it lies in the directory.
  package func place(of target: OutputTarget) -> OutputTarget {
    guard let file = target.path.map({ FilePath($0) }), file.directory == FilePath(path) else {
      return target
    }
    return .file(place(of: file.name))
  }

  /// Gives the directory its name, when all of its files have theirs; with `synchronizing`, waits
  /// until the name is on the disk.
  ///
  /// - Throws: `inputOutput` when the name has been taken meanwhile.
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
    // What was made inside of the hidden directory was waited for with its files.
    let outer = made.withLock { $0.map { FilePath($0).directory.text } }
      .filter { !FilePath($0).appending("").text.begins(with: "\(place)/") }
    for directory in Set(names: outer + [FilePath(path).directory.text]) {
      try Syscalls.synchronize(directory: directory.text)
    }
  }

  /// Removes what was made for it, files of the given names included, unless it is committed.
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

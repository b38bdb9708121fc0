internal import Bytes

/// Removes the input of an item that has been converted and compared.
enum SourceDeletion {
  /// Removes the files that were read, and their directory if nothing else is in it.
  ///
  /// - Returns: what kept it from doing so.
  static func carryOut(_ item: BatchItem) -> SystemError? {
    guard let work = try? item.work.get() else { return nil }
    // An output that has the name of an input has replaced it.
    let kept = Set(work.writes)
    do throws(SystemError) {
      for path in work.reads where !kept.contains(path) {
        if try Syscalls.status(at: path, followingLinks: false) != nil {
          try Syscalls.remove(path)
        }
      }
    } catch {
      return error
    }
    Syscalls.removeEmptyDirectories([item.input])
    return nil
  }
}

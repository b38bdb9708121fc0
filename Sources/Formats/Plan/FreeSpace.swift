public import Bytes

/// The check before the work: a disk that fills up after an hour is found out in the first second.
public enum FreeSpace: Sendable {
  /// Makes sure that `byteCount` bytes fit the file system that holds `directory`.
  ///
  /// - Throws: `inputOutput` with both numbers when they do not.
  public static func require(_ byteCount: Int, in directory: String) throws(FormatError) {
    let available = try FormatError.wrapping { () throws(SystemError) -> Int? in
      do throws(SystemError) {
        return try Syscalls.availableBytes(at: directory)
      } catch {
        // A directory that has gone is found out, or made again, when something is to appear in it.
        guard error.isMissing else { throw error }
        return nil
      }
    }
    guard let available, byteCount > available else { return }
    var error = FormatError(
      .inputOutput, "\(byteCount) bytes are needed, \(available) are free",
      hint: "free some space or choose another place with -o")
    error.cause = .outOfSpace(directory)
    throw error.framed(by: directory)
  }
}

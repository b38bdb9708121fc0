public import Bytes

/// The check before the work: a disk that fills up after an hour is found out in the first second.
public enum FreeSpace: Sendable {
  /// Makes sure that `byteCount` bytes fit the file system that holds `directory`.
  ///
  /// - Throws: `inputOutput` with both numbers when they do not.
  public static func require(_ byteCount: Int, in directory: String) throws(FormatError) {
    let available = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.availableBytes(at: directory)
    }
    guard let available, byteCount > available else { return }
    var error = FormatError(
      .inputOutput, "\(byteCount) bytes are needed, \(available) are free",
      hint: "free some space or choose another place with -o")
    error.cause = .outOfSpace(directory)
    throw error.framed(by: directory)
  }
}

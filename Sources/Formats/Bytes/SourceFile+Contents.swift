/// Files that are opened and read in one go.
extension SourceFile {
  /// Opens the file at `path`.
  ///
  /// - Throws: `inputOutput` when it is missing, unreadable or not a regular file.
  package static func open(_ path: String) throws(FormatError) -> SourceFile {
    try FormatError.wrapping { () throws(SystemError) in try SourceFile(path: path) }
  }

  /// All bytes of the file, which should be `kind` (`a manifest`) and is small if it is.
  ///
  /// - Throws: `limitExceeded` for more than `limit` bytes, `inputOutput` when the read fails; both
  ///   with the file in their path.
  package func contents(of kind: String, atMost limit: Int) throws(FormatError) -> [UInt8] {
    guard byteCount <= limit else {
      throw FormatError(
        .limitExceeded, "this file has \(byteCount) bytes, \(kind) at most \(limit)"
      ).framed(by: path)
    }
    return try bytes(in: 0..<byteCount)
  }
}

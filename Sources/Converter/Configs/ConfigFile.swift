internal import Bytes

/// Reads the small files that configurations are.
enum ConfigFile {
  /// All bytes of the file at `path`.
  ///
  /// - Throws: `inputOutput` when it cannot be read, `limitExceeded` for more than `limit` bytes.
  static func bytes(at path: String, limit: Int) throws(FormatError) -> [UInt8] {
    let file = try FormatError.wrapping { () throws(SystemError) in try SourceFile(path: path) }
    guard file.byteCount <= limit else {
      throw FormatError(
        .limitExceeded, "\(file.byteCount) bytes; no configuration is longer than \(limit)"
      ).framed(by: path)
    }
    return try file.bytes(in: 0..<file.byteCount)
  }
}

package import Bytes

/// A file that grows at its end, piece by piece, and keeps what it was told to keep.
package final class AppendedFile: Sendable {
  /// Its path.
  package let path: String
  private let descriptor: Int32

  /// Opens the file, or makes an empty one.
  ///
  /// - Throws: `inputOutput` when that fails.
  package init(path: String) throws(FormatError) {
    self.path = path
    descriptor = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.open(path, .append)
    }
  }

  deinit { Syscalls.close(descriptor) }

  /// Adds bytes and waits until they are on the disk.
  ///
  /// - Throws: `inputOutput` when that fails; the file may then end in a part of them.
  package func append(_ bytes: [UInt8]) throws(FormatError) {
    try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.append(descriptor, bytes.span.raw, path: path)
      try Syscalls.synchronise(descriptor, path: path)
    }
  }

  /// Cuts off everything behind the first `byteCount` bytes.
  ///
  /// - Throws: `inputOutput` when that fails.
  package func truncate(to byteCount: Int) throws(FormatError) {
    try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.truncate(descriptor, to: byteCount, path: path)
    }
  }
}

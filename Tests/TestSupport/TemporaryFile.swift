package import CkptBase
internal import Glibc

/// Files that exist only while a test holds them: their names are gone before the test sees them.
package enum TemporaryFile {
  /// A file with these bytes.
  package static func holding(_ bytes: [UInt8]) throws -> FileSource {
    try holding([(0, bytes)], byteCount: bytes.count)
  }

  /// A file of `byteCount` bytes that are zero, and take no space, except for these runs.
  package static func holding(
    _ runs: [(offset: Int, bytes: [UInt8])], byteCount: Int
  ) throws -> FileSource {
    let (descriptor, path) = try make(runs, byteCount: byteCount)
    return try FileSource(descriptor: descriptor, path: path)
  }

  /// A file with these bytes that loses all but its first `count` once it has been opened and
  /// `body` has returned; gives what `body` made of it.
  package static func shrinking<Result>(
    _ bytes: [UInt8], to count: Int, after body: (any ByteSource) throws -> Result
  ) throws -> Result {
    let (descriptor, path) = try make([(0, bytes)], byteCount: bytes.count)
    let other = dup(descriptor)
    defer { close(other) }
    let result = try body(FileSource(descriptor: descriptor, path: path))
    try check("ftruncate", path, ftruncate(other, count))
    return result
  }

  private static func make(
    _ runs: [(offset: Int, bytes: [UInt8])], byteCount: Int
  ) throws(CheckpointError) -> (descriptor: Int32, path: String) {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var name = Array("\(directory)/ckptconv-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    let path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try check("mkstemp", path, descriptor)
    unlink(path)
    try check("ftruncate", path, ftruncate(descriptor, byteCount))
    for run in runs {
      try Syscalls.write(descriptor, at: run.offset, run.bytes.span.bytes, path: path)
    }
    return (descriptor, path)
  }

  private static func check(_ call: String, _ path: String, _ result: Int32) throws(CheckpointError)
  {
    guard result >= 0 else { throw CheckpointError(call: call, path: path, errno: errno) }
  }
}

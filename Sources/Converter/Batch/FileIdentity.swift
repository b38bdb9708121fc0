internal import CkptBase
internal import CkptJSON

/// What tells whether a file is still the one it was: its size, its time of change and, where it was
/// asked for, a hash of its content.
package struct FileIdentity: Hashable, Sendable {
  /// The file: inputs as they were opened, outputs from the root of the batch.
  package var path: String
  /// Its size in bytes.
  package var byteCount: Int
  /// The time of its last change, in nanoseconds since 1970.
  package var modified: Int
  /// The SHA-256 of its bytes in hexadecimal.
  package var sha256: String?

  private static let bufferByteCount = 1 << 20

  /// An identity from its parts.
  package init(path: String, byteCount: Int, modified: Int, sha256: String? = nil) {
    self.path = path
    self.byteCount = byteCount
    self.modified = modified
    self.sha256 = sha256
  }

  /// The identity of the file at `path`, which is recorded as `name`; `hashing` reads all of it.
  ///
  /// - Throws: `inputOutput` when it is missing or unreadable, `cancelled` when it is told to stop.
  init(
    of path: String, as name: String? = nil, hashing: Bool = false,
    until cancellation: Cancellation? = nil
  ) throws(CheckpointError) {
    guard let status = try Syscalls.status(at: path) else { throw .missing(path) }
    self.init(path: name ?? path, byteCount: status.byteCount, modified: status.modified)
    if hashing { sha256 = try Self.hash(of: path, until: cancellation) }
  }

  private static func hash(
    of path: String, until cancellation: Cancellation?
  ) throws(CheckpointError) -> String {
    let file = try FileSource(path: path)
    var buffer = try PageBuffer(byteCount: bufferByteCount)
    var hash = SHA256()
    var offset = 0
    while offset < file.byteCount {
      try cancellation?.check()
      var bytes = buffer.mutableBytes
      var part = bytes._mutatingExtracting(0..<min(bufferByteCount, file.byteCount - offset))
      try file.readAll(at: offset, into: &part)
      hash.update(part.bytes)
      offset += part.byteCount
    }
    return hash.finish().description
  }

  /// Whether two identities, taken at different times, are those of one content.
  ///
  /// Where both have hashes, these decide: a copy of a file has another time.
  func isSameContent(as other: FileIdentity) -> Bool {
    guard byteCount == other.byteCount else { return false }
    if let sha256, let otherHash = other.sha256 { return sha256 == otherHash }
    return modified == other.modified
  }
}

extension FileIdentity {
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("path", path)
    json.member("bytes", byteCount)
    json.member("modified", modified)
    if let sha256 { json.member("sha256", sha256) }
    json.endObject()
  }

  init(reading json: inout JSONReader) throws(CheckpointError) {
    self.init(path: "", byteCount: 0, modified: 0)
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "path": path = try json.string()
      case "bytes": byteCount = try json.integer()
      case "modified": modified = try json.integer()
      case "sha256": sha256 = try json.string()
      default: try json.skipValue()
      }
    }
  }
}

extension JSONReader {
  /// Reads an integer that fits 64 bits with a sign.
  mutating func integer() throws(CheckpointError) -> Int {
    guard case .integer(let integer) = try number() else {
      throw CheckpointError(.malformed, "a number that is no integer", at: offset)
    }
    return integer
  }
}

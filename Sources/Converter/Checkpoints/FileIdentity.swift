package import CkptBase
package import CkptJSON

/// The identity of a file's content: its size, modification time and, on request, a hash.
package struct FileIdentity: Hashable, Sendable {
  /// The path: as opened for inputs, relative to the root for outputs.
  package var path: String
  /// Its size in bytes.
  package var byteCount: Int
  /// The modification time, in nanoseconds since 1970.
  package var modified: Int
  /// The SHA-256 of its bytes in hexadecimal.
  package var sha256: String?

  private static let bufferByteCount = 1 << 20

  /// Creates an identity.
  package init(path: String, byteCount: Int, modified: Int, sha256: String? = nil) {
    self.path = path
    self.byteCount = byteCount
    self.modified = modified
    self.sha256 = sha256
  }

  /// Reads the identity of the file at `path`, recorded as `name`.
  ///
  /// With `hashing`, it reads the whole file.
  ///
  /// - Throws: `inputOutput` if it is missing or unreadable, `cancelled` if the work is cancelled.
  package init(
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

  /// Whether two identities, taken at different times, have the same content.
  ///
  /// If both have hashes, only these count: a copy has another modification time.
  package func isSameContent(as other: FileIdentity) -> Bool {
    guard byteCount == other.byteCount else { return false }
    if let sha256, let otherHash = other.sha256 { return sha256 == otherHash }
    return modified == other.modified
  }
}

extension FileIdentity {
  /// Writes the identity as an object.
  package func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("path", path)
    json.member("bytes", byteCount)
    json.member("modified", modified)
    if let sha256 { json.member("sha256", sha256) }
    json.endObject()
  }

  /// Reads what ``write(to:)`` has written.
  ///
  /// - Throws: `malformed` for something else.
  package init(reading json: inout JSONReader) throws(CheckpointError) {
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

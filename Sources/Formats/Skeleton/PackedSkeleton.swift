internal import CkptBase
internal import CkptJSON

/// The compressed form of a skeleton: `{"skeleton":2,"bytes":N,"deflate":"BASE64"}`.
///
/// A short skeleton stays readable for people who look at the header. Longer ones are read by programs
/// only, and would fill the screen of tools that print the whole header.
package enum PackedSkeleton {
  /// The longest text that is not compressed, in bytes.
  static let textByteCount = 4096

  /// Compresses a long skeleton for a file of at least `fileByteCount` bytes.
  ///
  /// Returns `text` if it is short, or if it would not become shorter.
  package static func pack(_ text: [UInt8], fileByteCount: Int) -> [UInt8] {
    guard text.count > textByteCount, text.count <= byteLimit(inFileOf: fileByteCount),
      let stream = Deflater.deflate(text.span, limit: text.count / 4 * 3)
    else { return text }
    var json = JSONWriter()
    json.beginObject()
    json.member("skeleton", SkeletonWriter.version)
    json.member("bytes", text.count)
    json.key("deflate")
    json.string(utf8: Base64.encode(stream.span, .standard)[...])
    json.endObject()
    return json.bytes
  }

  /// Reads and decompresses a skeleton.
  ///
  /// - Throws: `malformed` for an invalid value, `limitExceeded` for a text that is too long.
  static func text(
    of json: inout JSONReader, byteCount: Int, fileByteCount: Int
  ) throws(CheckpointError) -> [UInt8] {
    let stream = try json.base64(.standard)
    let limit = byteLimit(inFileOf: fileByteCount)
    guard byteCount <= limit else {
      throw CheckpointError(
        .limitExceeded,
        "the skeleton has \(byteCount) bytes; at most \(limit) are read from a file of "
          + "\(fileByteCount)", remedy: .action(.ignoreSkeleton))
    }
    return try Inflater.inflate(stream, byteCount: byteCount)
  }

  /// Returns the longest text that is read, in bytes.
  private static func byteLimit(inFileOf fileByteCount: Int) -> Int {
    max(
      Limits.packedSkeletonBytesAtLeast,
      Limits.packedSkeletonBytesPerFileByte * min(fileByteCount, Limits.outputBytes))
  }
}

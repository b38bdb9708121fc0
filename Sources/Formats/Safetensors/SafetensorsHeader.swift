internal import Bytes
internal import JSON

/// The header of a safetensors file: eight bytes of length, then JSON padded with spaces to a
/// multiple of eight, exactly as the reference writer does it (`safetensors/src/tensor.rs`).
enum SafetensorsHeader {
  /// The header for entries in the order of their data, in three pieces: length, text, padding.
  ///
  /// Without `metadata` it has no `__metadata__`.
  ///
  /// - Throws: `limitExceeded` beyond what the reference reader accepts.
  static func encode(
    _ entries: [SafetensorsEntry], metadata: [(key: String, value: [UInt8])]?
  ) throws(FormatError) -> [[UInt8]] {
    var json = JSONWriter()
    json.beginObject()
    if let metadata {
      json.key("__metadata__")
      json.beginObject()
      for (key, value) in metadata {
        json.key(key)
        json.string(utf8: value[...])
      }
      json.endObject()
    }
    var offset = 0
    for entry in entries {
      guard entry.byteCount <= Limits.outputBytes - offset else { throw tooLarge(entry) }
      json.key(entry.name)
      json.beginObject()
      json.member("dtype", entry.dtype.name)
      json.member("shape", entry.shape)
      json.member("data_offsets", [offset, offset + entry.byteCount])
      json.endObject()
      offset += entry.byteCount
    }
    json.endObject()
    let text = json.bytes.count
    let padding = (8 - text % 8) % 8
    let count = text + padding
    guard count <= Limits.safetensorsHeaderBytes else {
      throw FormatError(
        .limitExceeded,
        "the header would have \(count) bytes; readers accept "
          + "\(Limits.safetensorsHeaderBytes)",
        hint: "--no-skeleton leaves out what is not tensors")
    }
    var length = ByteWriter()
    length.write(integer: UInt64(count))
    return [
      length.bytes, json.bytes, [UInt8](repeating: UInt8(ascii: " "), count: padding),
    ]
  }

  private static func tooLarge(_ entry: SafetensorsEntry) -> FormatError {
    FormatError(
      .limitExceeded,
      "with the \(entry.byteCount) bytes of '\(entry.name)' the file would have more than "
        + "\(Limits.outputBytes)",
      hint: "a few bytes of the source are shown as many elements; this is no real tensor")
  }
}

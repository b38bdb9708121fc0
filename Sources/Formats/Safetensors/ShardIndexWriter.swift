internal import JSON

/// Writes the index of a folder of shards, as `save_pretrained` of transformers 4.57 and 5 does:
/// sorted, with an indent of two.
struct ShardIndexWriter {
  /// The index as JSON text, from the name of the file of each tensor, the number of elements of all
  /// tensors and their size.
  static func write(
    files: [(tensor: String, file: String)], parameterCount: Int, totalByteCount: Int
  ) -> [UInt8] {
    var json = JSONWriter(style: .python)
    json.beginObject()
    json.key("metadata")
    json.beginObject()
    json.member("total_parameters", parameterCount)
    json.member("total_size", totalByteCount)
    json.endObject()
    json.key("weight_map")
    json.beginObject()
    for entry in files.sorted(by: { $0.tensor.utf8.lexicographicallyPrecedes($1.tensor.utf8) }) {
      json.member(entry.tensor, entry.file)
    }
    json.endObject()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}

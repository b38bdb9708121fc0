internal import Plan

/// One tensor of a safetensors file under construction.
struct SafetensorsEntry {
  /// The tensor's name.
  var name: String
  /// The type of its elements.
  var dtype: SafetensorsDType
  /// The shape that the header gives.
  var shape: [Int]
  /// The bytes; `nil` for none.
  var data: Segment?

  /// The size of the data in bytes.
  var byteCount: Int { data?.byteCount ?? 0 }

  /// The order of the reference writer: by type, then by the bytes of the name.
  static func precedes(_ first: SafetensorsEntry, _ second: SafetensorsEntry) -> Bool {
    if first.dtype != second.dtype { return first.dtype.rank < second.dtype.rank }
    return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
  }
}

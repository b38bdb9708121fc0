internal import Plan

/// One tensor of a safetensors file under construction.
struct SafetensorsEntry {
  /// The tensor's name.
  var name: String
  /// The type of its elements.
  var dtype: SafetensorsDType
  /// The shape that the header gives.
  var shape: [Int]
  /// The bytes, run after run; none for a tensor without elements.
  var data: [Segment]
  /// The size of the data in bytes.
  let byteCount: Int

  /// An entry of these bytes.
  init(name: String, dtype: SafetensorsDType, shape: [Int], data: [Segment]) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.data = data
    byteCount = data.reduce(0) { $0 + $1.byteCount }
  }

  /// The order of the reference writer: by type, then by the bytes of the name.
  static func precedes(_ first: SafetensorsEntry, _ second: SafetensorsEntry) -> Bool {
    if first.dtype != second.dtype { return first.dtype.rawValue < second.dtype.rawValue }
    return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
  }
}

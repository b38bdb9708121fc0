internal import Bytes
internal import Graph
internal import Pickle

/// What the entries of a safetensors file hold: tensors, and pickled values in OLMo's layout.
struct EntryData {
  let file: SourceFile
  /// Where the data begins, in bytes from the start of the file.
  let start: Int

  /// Where an entry's bytes lie.
  func region(of entry: SafetensorsHeaderEntry) -> FileRegion {
    FileRegion(
      file: file,
      range: start + entry.range.lowerBound..<start + entry.range.upperBound, name: entry.name)
  }

  /// The tensor that an entry stands for when nothing else is known of it, over a new storage.
  func tensor(
    _ entry: SafetensorsHeaderEntry, node: NodeID, in graph: inout TensorGraph
  ) -> Tensor {
    let dtype = entry.dtype.torchDType
    var shape = entry.shape
    // The header counts values, PyTorch's packed dtype counts bytes of two.
    if entry.dtype == .f4, let last = shape.popLast() { shape.append(last / 2) }
    let storage = graph.add(
      Storage(
        key: entry.name, dtype: dtype, location: "cpu", byteCount: entry.range.count,
        region: region(of: entry), isBigEndian: false))
    return Tensor(
      node: node, dtype: dtype, shape: shape, strides: Tensor.packedStrides(shape), offset: 0,
      storage: storage)
  }

  /// The bytes of an entry that is a pickled value.
  ///
  /// - Throws: `malformed` for an entry that cannot be one.
  func pickle(of entry: SafetensorsHeaderEntry) throws(FormatError) -> [UInt8] {
    guard entry.dtype == .u8, entry.range.count <= Limits.pickleBytes else {
      throw FormatError(
        .malformed, "a pickled value is \(entry.dtype.name) of \(entry.range.count) bytes")
    }
    return try file.bytes(in: region(of: entry).range)
  }

  /// The value whose pickle is an entry's data.
  ///
  /// - Throws: `malformed` for an entry that is not a pickle, `forbidden` for one that would run
  ///   code.
  func value(
    of entry: SafetensorsHeaderEntry, with machine: inout Unpickler
  ) throws(FormatError) -> NodeID {
    let bytes = try pickle(of: entry)
    var reader = ByteReader(bytes.span, base: start + entry.range.lowerBound)
    return try machine.loadWhole(&reader)
  }
}

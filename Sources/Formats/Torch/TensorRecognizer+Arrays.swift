internal import CkptBase
internal import CkptGraph

/// Tensors of devices without storages, which old versions of PyTorch save as NumPy arrays
/// (`torch/_utils.py`, `_rebuild_device_tensor_from_numpy`).
extension TensorRecognizer {
  /// Makes `node` the tensor that an array is cast to; returns whether it is one.
  ///
  /// The elements lie in the pickle. The tensor is one of the CPU, as `map_location="cpu"` gives it.
  ///
  /// - Throws: `malformed` for an array of another size than its shape's, `unsupported` for a cast that
  ///   is none of floats.
  mutating func addArray(
    _ id: NodeID, dtype: NodeID, as node: NodeID
  ) throws(CheckpointError) -> Bool {
    guard case .numpyArray(let array) = graph.knownObject(id),
      case .dtype(let target) = graph.knownObject(dtype), let source = array.dtype.torchDType,
      let bytes = bytes(of: array.data)
    else { return false }
    let strides = Tensor.packedStrides(array.isFortranOrder ? array.shape.reversed() : array.shape)
    var tensor = Tensor(
      node: node, dtype: source, shape: array.shape,
      strides: array.isFortranOrder ? strides.reversed() : strides, offset: 0, storage: nil)
    try Tensor.requireSize(tensor.shape, of: source)
    guard tensor.byteCount == bytes.count else {
      throw CheckpointError(
        .malformed,
        "a NumPy array of shape \(array.shape) has \(bytes.count) bytes, not \(tensor.byteCount)")
    }
    // Any number of arrays can refer to the same bytes.
    let memory =
      arraySources[array.data] ?? MemorySource(Array(bytes), name: "a NumPy array")
    arraySources[array.data] = memory
    let region = FileRegion(source: memory, range: 0..<bytes.count, name: memory.name)
    var storage = Storage(
      key: "array \(graph.storages.count)", dtype: target, location: "cpu",
      byteCount: bytes.count, region: region, isBigEndian: array.dtype.isBigEndian)
    if source != target {
      guard ElementCast(from: source, to: target) != nil else {
        throw CheckpointError(
          .unsupported, "a NumPy array of \(source.name) stands for a tensor of \(target.name)")
      }
      let block = ElementBlock(tensor, in: region, isBigEndian: storage.isBigEndian)
      tensor.dtype = target
      tensor.strides = Tensor.packedStrides(tensor.shape)
      storage.byteCount = tensor.byteCount
      storage.region = nil
      storage.isBigEndian = false
      storage.blocks = try PlacedBlocks(
        [.init(block, at: [Int](repeating: 0, count: tensor.shape.count))], in: tensor.shape)
    }
    tensor.storage = graph.add(storage)
    graph.add(tensor)
    return true
  }

  private func bytes(of id: NodeID) -> ArraySlice<UInt8>? {
    switch graph[id] {
    case .bytes(let run), .byteArray(let run): graph[run]
    default: nil
    }
  }
}

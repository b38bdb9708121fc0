/// Tensors whose elements are of another type in the file.
extension TensorGraph {
  /// Casts every tensor of floating-point numbers to `dtype`, one of ``ElementCast/targets``, as
  /// PyTorch does when a module is cast.
  ///
  /// Integers, truth values and bare storages stay what they are. The tensors are the same objects
  /// as before and those that were tied still are, over new storages without gaps. A tensor can be
  /// cast once.
  package mutating func castFloats(to dtype: DType) {
    precondition(ElementCast.targets.contains(dtype))
    var storages: [TensorView: StorageID] = [:]
    for index in tensors.indices {
      let id = TensorID(index: Int32(index))
      let tensor = self[id]
      guard ElementCast(from: tensor.dtype, to: dtype) != nil, !tensor.origin.isStorage else {
        continue
      }
      var cast = tensor
      cast.dtype = dtype
      cast.origin = .plain
      if tensor.storage != nil {
        let blocks = blocks(of: tensor)
        precondition(blocks.allSatisfy { $0.dtype == tensor.dtype }, "a tensor is cast once")
        let view = TensorView(tensor)
        let storage = view.flatMap { storages[$0] } ?? addStorage(of: cast, blocks)
        if let view { storages[view] = storage }
        cast = cast.filling(storage)
      }
      replace(id, with: cast)
    }
  }
}

extension Tensor.Origin {
  fileprivate var isStorage: Bool { if case .storage = self { true } else { false } }
}

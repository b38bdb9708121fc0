internal import Graph

/// The bytes that a tensor shows of its storage, as far as they identify it: tensors with equal
/// views are tied.
struct TensorView: Hashable {
  let storage: StorageID
  let dtype: DType
  let shape: [Int]
  let strides: [Int]
  let offset: Int
  let isConjugated: Bool
  let isNegated: Bool

  /// The view of a tensor, or `nil` for one that has no bytes to share.
  init?(_ tensor: Tensor) {
    guard let storage = tensor.storage, tensor.elementCount > 0 else { return nil }
    self.storage = storage
    dtype = tensor.dtype
    shape = tensor.shape
    strides = tensor.strides
    offset = tensor.offset
    isConjugated = tensor.isConjugated
    isNegated = tensor.isNegated
  }
}

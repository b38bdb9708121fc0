/// The bytes that a tensor shows of its storage, as far as they identify it: tensors with equal
/// views are tied.
package struct TensorView: Hashable, Sendable {
  private let storage: StorageID
  private let dtype: DType
  private let shape: [Int]
  private let strides: [Int]
  private let offset: Int
  private let isConjugated: Bool
  private let isNegated: Bool

  /// The view of a tensor, or `nil` for one that has no bytes to share.
  package init?(_ tensor: Tensor) {
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

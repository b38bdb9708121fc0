internal import Graph

/// How a header describes a tensor's elements.
struct EntryForm: Hashable {
  /// The type of the elements.
  let dtype: SafetensorsDType
  /// The shape.
  let shape: [Int]
  /// Whether the elements are bytes only because safetensors has no type, or no shape, for them.
  let isDisguise: Bool

  init(of tensor: Tensor) {
    var shape = tensor.shape
    if let dtype = SafetensorsDType(tensor.dtype), !Self.isUnrepresentable(tensor) {
      // The header counts values, PyTorch's packed dtype counts bytes of two.
      if dtype == .f4, let last = shape.popLast() { shape.append(2 * last) }
      self.dtype = dtype
      isDisguise = false
    } else {
      if tensor.dtype.byteCount > 1 { shape.append(tensor.dtype.byteCount) }
      dtype = .u8
      isDisguise = true
    }
    self.shape = shape
  }

  /// A packed pair has no shape that says so unless there is a dimension to double.
  private static func isUnrepresentable(_ tensor: Tensor) -> Bool {
    tensor.dtype == .float4_e2m1fn_x2
      && (tensor.shape.isEmpty || tensor.shape.contains { $0 > Int.max / 4 })
  }
}

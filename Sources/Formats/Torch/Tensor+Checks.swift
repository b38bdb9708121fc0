internal import Bytes
internal import Graph

extension Tensor {
  /// The tensor, if every element it describes lies in its storage.
  ///
  /// Overlapping and zero strides are legal: a small storage may describe any number of elements.
  ///
  /// - Parameter storageByteCount: the storage's size in bytes, `nil` for a tensor without one.
  /// - Returns: the tensor itself.
  /// - Throws: `malformed` when rank and strides disagree, a product overflows or an element lies
  ///   outside.
  func checked(storageByteCount: Int?) throws(FormatError) -> Tensor {
    guard shape.count == strides.count else {
      throw FormatError(
        .malformed, "a tensor has \(shape.count) dimensions and \(strides.count) strides")
    }
    try Tensor.requireSize(shape, of: dtype)
    guard let storageByteCount, !shape.contains(0) else { return self }
    var last = offset
    for (size, stride) in zip(shape, strides) {
      let reach = try (size - 1).multiplied(by: stride, orThrow: "a tensor's extent")
      last = try last.adding(reach, orThrow: "a tensor's extent")
    }
    guard last < storageByteCount / dtype.byteCount else {
      throw FormatError(
        .malformed,
        "a tensor reaches element \(last) of a storage that has "
          + "\(storageByteCount / dtype.byteCount)")
    }
    return self
  }
}

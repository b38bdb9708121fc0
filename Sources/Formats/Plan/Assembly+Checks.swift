internal import Bytes
internal import Graph

extension Assembly {
  /// Makes sure that every piece is inside its file, has all of its elements and no more, and has a
  /// place inside the assembly for each.
  ///
  /// - Throws: `truncated` or `malformed`.
  func validate() throws(FormatError) {
    guard byteCount >= 0 else {
      throw FormatError(.malformed, "a storage cannot have \(byteCount) bytes")
    }
    for piece in pieces { try piece.validate(assemblyByteCount: byteCount) }
  }
}

extension Assembly.Piece {
  fileprivate func validate(assemblyByteCount: Int) throws(FormatError) {
    try region.validate()
    do throws(FormatError) {
      try placement.validate(regionByteCount: assemblyByteCount)
      let packed = try placement.checkedByteCount()
      guard packed == region.byteCount else {
        throw FormatError(
          .malformed,
          "the tensor has \(region.byteCount) bytes, shape \(placement.shape) needs \(packed)")
      }
    } catch {
      throw region.framed(error)
    }
  }
}

extension StridedElements {
  /// The size of the packed elements in bytes.
  ///
  /// - Throws: `malformed` when it does not fit 64 bits.
  fileprivate func checkedByteCount() throws(FormatError) -> Int {
    guard !isEmpty else { return 0 }
    var byteCount = elementByteCount
    for extent in shape {
      byteCount = try byteCount.multiplied(by: extent, orThrow: "a tensor's size")
    }
    return byteCount
  }
}

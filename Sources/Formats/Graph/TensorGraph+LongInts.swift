package import Bytes

/// Ints of any size: CPython writes one out wherever it occurs, and so does our pickler.
extension TensorGraph {
  /// Makes sure that writing out the ints among the nodes from number `first` on does not take far
  /// more bytes than they have.
  ///
  /// A hostile file refers to a long one again and again.
  ///
  /// - Throws: `limitExceeded` when it would.
  package func requireFewLongInts(from first: Int) throws(FormatError) {
    guard (first..<nodeCount).contains(where: { longIntByteCount(NodeID(index: $0)) > 0 }) else {
      return
    }
    var byteCount = 0
    for index in first..<nodeCount {
      forEachReference(of: NodeID(index: index)) { byteCount += longIntByteCount($0) }
    }
    guard byteCount <= Limits.longIntBytesAtLeast + 2 * textByteCount else {
      throw FormatError(
        .limitExceeded, "ints that are referred to again and again have \(byteCount) bytes",
        hint: "this is a file made to exhaust its readers")
    }
  }

  /// The size of an int that is too long to be written out any number of times, in bytes.
  private func longIntByteCount(_ id: NodeID) -> Int {
    guard case .largeInt(let run) = self[id], run.count > 64 else { return 0 }
    return Int(run.count)
  }
}

internal import Bytes

/// Where runs of bytes lie that follow each other without a gap.
struct RunOffsets: Sendable {
  /// Where each run begins, and where the last one ends.
  private var offsets = [0]

  /// Adds a run at the end.
  ///
  /// - Throws: `malformed` when no number is as large as all runs together.
  mutating func append(_ byteCount: Int) throws(FormatError) {
    offsets.append(try self.byteCount.adding(byteCount, orThrow: "the size of what is expected"))
  }

  /// The size of all runs in bytes.
  var byteCount: Int { offsets[offsets.count - 1] }

  /// Where a run lies.
  subscript(run: Int) -> Range<Int> { offsets[run]..<offsets[run + 1] }

  /// The run that has the byte at `offset`, which is expected to be in one.
  func run(at offset: Int) -> Int {
    var candidates = 0..<offsets.count - 1
    while candidates.count > 1 {
      let middle = candidates.lowerBound + candidates.count / 2
      candidates =
        offsets[middle] <= offset
        ? middle..<candidates.upperBound : candidates.lowerBound..<middle
    }
    return candidates.lowerBound
  }
}

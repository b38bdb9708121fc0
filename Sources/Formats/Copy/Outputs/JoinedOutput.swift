package import CkptBase

/// Several files as one output, each behind the one before it.
///
/// The plans of the files run as one, so that a source that has bytes for several of them is read once
/// and its checksums are verified.
package struct JoinedOutput: CopyDestination {
  private let files: [StagedOutput]
  /// The first byte of each file, and the end of the last.
  private let starts: [Int]

  /// Joins files with their sizes in bytes; there must be at least one.
  package init(_ files: [(file: StagedOutput, byteCount: Int)]) {
    precondition(!files.isEmpty, "an output needs a file")
    self.files = files.map(\.file)
    starts = files.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.byteCount) }
  }

  /// False: bytes can be written anywhere in any order.
  package var isSequential: Bool { false }

  /// The directory of the first file.
  package var scratchDirectory: String { files[0].scratchDirectory }

  /// Reserves space for each file.
  ///
  /// - Throws: `inputOutput` if there is not enough.
  package func prepare(byteCount: Int) throws(CheckpointError) {
    for (index, file) in files.enumerated() {
      try file.prepare(byteCount: starts[index + 1] - starts[index])
    }
  }

  /// Writes `bytes` at `offset` in the output, which can be in several files.
  ///
  /// - Throws: `inputOutput` if that fails.
  package func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    var index = self.index(ofFileAt: offset)
    var done = 0
    while done < bytes.byteCount {
      let place = offset + done
      let count = min(bytes.byteCount - done, starts[index + 1] - place)
      if count > 0 {
        try files[index].write(
          bytes.extracting(done..<done + count), at: place - starts[index])
      }
      done += count
      index += 1
    }
  }

  /// Returns the last file that begins at `offset` or before.
  private func index(ofFileAt offset: Int) -> Int {
    var (low, high) = (0, files.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }
}

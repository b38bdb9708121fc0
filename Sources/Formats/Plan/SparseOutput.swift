internal import Bytes

/// A temporary file in which long stretches are left out, so that they take no space.
final class SparseOutput: CopyDestination {
  private let file: ScratchFile
  /// The stretches but for their first bytes, in order.
  private let holes: [Range<Int>]

  /// An empty file in the user's directory for temporary files; of `stretches`, in order and none
  /// shorter than their first bytes, the rest is left out.
  ///
  /// - Throws: `inputOutput` when the directory is missing, full or not writable.
  init(leavingOut stretches: [Range<Int>]) throws(FormatError) {
    let directory = Syscalls.temporaryDirectory()
    file = try FormatError.wrapping { () throws(SystemError) in
      try ScratchFile(in: directory, label: directory + ": temporary file")
    }
    file.forgetName()
    holes = stretches.map { $0.lowerBound + PlannedFile.leadingByteCount..<$0.upperBound }
  }

  /// Never: bytes may be written anywhere in any order.
  var isSequential: Bool { false }

  /// The directory that the file is in.
  var scratchDirectory: String { file.scratchDirectory }

  /// Gives the file its length and no blocks.
  func prepare(byteCount: Int) throws(FormatError) {
    guard byteCount > 0 else { return }
    let last: [UInt8] = [0]
    try file.write(last.span.raw, at: byteCount - 1)
  }

  /// Writes what of `bytes` is not left out.
  func write(_ bytes: RawSpan, at offset: Int) throws(FormatError) {
    let end = offset + bytes.byteCount
    var place = offset
    var index = holes.firstIndexInOrder { $0.upperBound > offset }
    while place < end {
      let hole = index < holes.count ? holes[index] : end..<end
      let stop = min(max(hole.lowerBound, place), end)
      if stop > place {
        try file.write(bytes.extracting(place - offset..<stop - offset), at: place)
      }
      place = max(stop, min(hole.upperBound, end))
      index += 1
    }
  }

  /// The file for reading, once everything is written; it outlives this object.
  ///
  /// - Throws: `inputOutput` when the system is short of descriptors.
  func makeSource() throws(FormatError) -> SourceFile {
    try FormatError.wrapping { () throws(SystemError) in try file.makeSource() }
  }
}

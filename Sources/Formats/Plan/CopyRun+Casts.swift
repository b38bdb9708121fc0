internal import Bytes
internal import Codecs
internal import Graph

/// Elements that are cast on the way.
extension CopyRun {
  /// Casts packed elements, as many at a time as there is room for, and writes them.
  ///
  /// `checksum` goes on over what is written, if it is of interest.
  func write(
    _ elements: RawSpan, _ cast: ElementCast, to outputOffset: Int, _ checksum: inout UInt32?,
    by room: inout MutableRawSpan
  ) throws(FormatError) {
    let width = cast.source.byteCount
    let step = min(room.byteCount, memory.transfer) / cast.target.byteCount * width
    for start in stride(from: 0, to: elements.byteCount, by: step) {
      let piece = elements.extracting(start..<min(start + step, elements.byteCount))
      var target = room._mutatingExtracting(0..<cast.byteCount(after: piece.byteCount))
      CastKernels.cast(piece, into: &target, cast)
      if let before = checksum {
        checksum = CRC32.checksum(target.bytes, continuing: before)
      }
      try destination.write(target.bytes, at: outputOffset + cast.byteCount(after: start))
      progress.add(target.byteCount)
    }
  }
}

extension ElementCast {
  /// The size of `byteCount` bytes of whole elements once they are cast.
  func byteCount(after byteCount: Int) -> Int {
    byteCount / source.byteCount * target.byteCount
  }
}

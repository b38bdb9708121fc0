internal import Bytes

/// Elements that lie apart: a box is read, packed in memory and written.
extension CopyRun {
  /// Writes the elements of one box.
  func pick(
    _ elements: Work.PickedElements, box number: Int, to outputOffset: Int,
    record: ChecksumLedger.Slot?, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(FormatError) {
    let box = elements.tiling.box(number)
    try fetch(box, of: elements, &input)
    let count = box.memoryLayout.byteCount
    if box.memoryLayout.isContiguous {
      // The reads themselves have put the elements in order.
      var bytes = input._mutatingExtracting(0..<count)
      elements.change?.apply(to: &bytes)
      try write(bytes.bytes, box, of: elements.tiling, to: outputOffset, record: record)
    } else {
      var bytes = output._mutatingExtracting(0..<count)
      ElementKernels.pack(box.memoryLayout, from: input.bytes, into: &bytes)
      elements.change?.apply(to: &bytes)
      try write(bytes.bytes, box, of: elements.tiling, to: outputOffset, record: record)
    }
    progress.add(count)
  }

  /// Reads the bytes of a box into the input buffer.
  func fetch(
    _ box: Tiling.Box, of elements: Work.PickedElements, _ input: inout MutableRawSpan
  ) throws(FormatError) {
    var place = elements.tiling.reads(of: box)
    repeat {
      var bytes = input._mutatingExtracting(
        place.target..<place.target + box.reading.runByteCount)
      try elements.file.readAll(at: elements.offset + place.source, into: &bytes)
    } while place.advance()
  }

  /// Writes the packed elements of a box to the places they have in the output.
  private func write(
    _ bytes: RawSpan, _ box: Tiling.Box, of tiling: Tiling, to outputOffset: Int,
    record: ChecksumLedger.Slot?
  ) throws(FormatError) {
    enter(bytes, inRecordAt: record)
    let runByteCount = tiling.runByteCount(of: box)
    var place = tiling.writes(of: box)
    repeat {
      try destination.write(
        bytes.extracting(place.source..<place.source + runByteCount),
        at: outputOffset + place.target)
    } while place.advance()
  }
}

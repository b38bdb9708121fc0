internal import CkptBase
internal import CkptPlan

/// Scattered elements: a box is read, packed in memory and written.
extension CopyRun {
  /// Writes the elements of one box.
  func pick(
    _ elements: CopyTask.PickedElements, box number: Int, to outputOffset: Int,
    record: ChecksumCombiner.Slot?, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(CheckpointError) {
    let box = elements.tiling.box(number)
    var bytes = output._mutatingExtracting(0..<box.byteCount)
    try fetch(box, of: elements, into: &bytes, by: &input)
    let runByteCount = elements.tiling.runByteCount(of: box)
    var place = elements.tiling.writes(of: box)
    if let cast = elements.cast {
      var checksum: UInt32? = record == nil ? nil : 0
      repeat {
        let run = bytes.bytes.extracting(place.source..<place.source + runByteCount)
        let target = outputOffset + cast.byteCount(after: place.target)
        try write(run, cast, to: target, &checksum, by: &input)
      } while place.advance()
      guard let record, let checksum else { return }
      _ = records.enter(checksum, byteCount: cast.byteCount(after: box.byteCount), at: record)
      return
    }
    enter(bytes.bytes, inRecordAt: record)
    repeat {
      let run = bytes.bytes.extracting(place.source..<place.source + runByteCount)
      try write(run, to: outputOffset + place.target)
    } while place.advance()
    progress.add(box.byteCount)
  }

  /// Fills `packed` with the elements of a box in output order.
  func fetch(
    _ box: Tiling.Box, of elements: CopyTask.PickedElements, into packed: inout MutableRawSpan,
    by input: inout MutableRawSpan
  ) throws(CheckpointError) {
    if box.reading.isInOrder {
      try fetchRuns(box, of: elements, into: &packed)
    } else {
      try fetchSlabs(box, of: elements, into: &packed, by: &input)
    }
    elements.change?.apply(to: &packed)
  }

  /// Reads elements in order directly to their positions.
  private func fetchRuns(
    _ box: Tiling.Box, of elements: CopyTask.PickedElements, into packed: inout MutableRawSpan
  ) throws(CheckpointError) {
    var place = box.odometer(over: box.reading.outer, in: elements.tiling.layout)
    repeat {
      var run = packed._mutatingExtracting(
        place.target..<place.target + box.reading.runByteCount)
      try elements.file.readAll(at: elements.offset + place.source, into: &run)
    } while place.advance()
  }

  /// Reads as many runs as the input buffer holds, packs their elements, and repeats.
  private func fetchSlabs(
    _ box: Tiling.Box, of elements: CopyTask.PickedElements, into packed: inout MutableRawSpan,
    by input: inout MutableRawSpan
  ) throws(CheckpointError) {
    let layout = elements.tiling.layout
    var slabs = Slabs(
      box, of: layout, targetStrides: box.packedStrides, inputByteCount: input.byteCount)
    while let slab = slabs.next() {
      try read(slab, from: elements.file, at: elements.offset, nil, into: &input)
      var target = packed._mutatingExtracting(slab.target...)
      ElementKernels.pack(slab.layout, from: input.bytes, into: &target)
    }
  }

  /// Reads the runs of a slab and changes their elements; runs are whole elements.
  func read(
    _ slab: Slab, from file: any ByteSource, at offset: Int, _ change: ElementChange?,
    into input: inout MutableRawSpan
  ) throws(CheckpointError) {
    for run in 0..<slab.runCount {
      var bytes = input._mutatingExtracting(
        run * slab.pitch..<run * slab.pitch + slab.runByteCount)
      try file.readAll(at: offset + slab.source + run * slab.sourceStride, into: &bytes)
      change?.apply(to: &bytes)
    }
  }
}

extension Tiling.Box {
  /// Returns the positions of the first elements of the box along `dimensions`: in the source,
  /// counted from the first element of the selection, and among the packed elements.
  fileprivate func odometer(over dimensions: [Int], in layout: StridedLayout) -> Odometer {
    Odometer(
      extents: dimensions.map { extents[$0] }, sourceStrides: dimensions.map { layout.strides[$0] },
      targetStrides: dimensions.map { packedStrides[$0] }, source: sourceOffset)
  }
}

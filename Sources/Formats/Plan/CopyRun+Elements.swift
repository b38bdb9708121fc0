internal import Bytes

/// Elements that lie apart: a box is read, packed in memory and written.
extension CopyRun {
  /// Writes the elements of one box.
  func pick(
    _ elements: Work.PickedElements, box number: Int, to outputOffset: Int,
    record: ChecksumLedger.Slot?, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(FormatError) {
    let box = elements.tiling.box(number)
    var bytes = output._mutatingExtracting(0..<box.byteCount)
    try fetch(box, of: elements, into: &bytes, by: &input)
    enter(bytes.bytes, inRecordAt: record)
    let runByteCount = elements.tiling.runByteCount(of: box)
    var place = elements.tiling.writes(of: box)
    repeat {
      let run = bytes.bytes.extracting(place.source..<place.source + runByteCount)
      for start in stride(from: 0, to: runByteCount, by: memory.transfer) {
        let end = min(start + memory.transfer, runByteCount)
        try destination.write(
          run.extracting(start..<end), at: outputOffset + place.target + start)
      }
    } while place.advance()
    progress.add(box.byteCount)
  }

  /// Fills `packed` with the elements of a box, as the output wants them.
  func fetch(
    _ box: Tiling.Box, of elements: Work.PickedElements, into packed: inout MutableRawSpan,
    by input: inout MutableRawSpan
  ) throws(FormatError) {
    if box.reading.isInOrder {
      try fetchRuns(box, of: elements, into: &packed)
    } else {
      try fetchSlabs(box, of: elements, into: &packed, by: &input)
    }
    elements.change?.apply(to: &packed)
  }

  /// Reads elements that are in order to where they belong.
  private func fetchRuns(
    _ box: Tiling.Box, of elements: Work.PickedElements, into packed: inout MutableRawSpan
  ) throws(FormatError) {
    var place = box.odometer(over: box.reading.outer, in: elements.tiling.layout)
    repeat {
      var run = packed._mutatingExtracting(
        place.target..<place.target + box.reading.runByteCount)
      try elements.file.readAll(at: elements.offset + place.source, into: &run)
    } while place.advance()
  }

  /// Reads as many runs as the input buffer holds, packs their elements, and so on.
  private func fetchSlabs(
    _ box: Tiling.Box, of elements: Work.PickedElements, into packed: inout MutableRawSpan,
    by input: inout MutableRawSpan
  ) throws(FormatError) {
    let reading = box.reading
    let layout = elements.tiling.layout
    let slab = Slab(box, layout, inputByteCount: input.byteCount)
    var place = box.odometer(over: Array(reading.outer.dropLast()), in: layout)
    repeat {
      for first in stride(from: 0, to: slab.runCount, by: slab.runsAtOnce) {
        let count = min(slab.runsAtOnce, slab.runCount - first)
        let source = elements.offset + place.source + first * slab.sourceStride
        for run in 0..<count {
          var bytes = input._mutatingExtracting(
            run * reading.pitch..<run * reading.pitch + reading.runByteCount)
          try elements.file.readAll(at: source + run * slab.sourceStride, into: &bytes)
        }
        var target = packed._mutatingExtracting(
          (place.target + first * slab.packedStride)...)
        ElementKernels.pack(slab.layout(runs: count), from: input.bytes, into: &target)
      }
    } while place.advance()
  }
}

/// The runs along one dimension that are read and packed together.
private struct Slab {
  /// The number of runs there are.
  let runCount: Int
  /// The number of runs that the input buffer holds.
  let runsAtOnce: Int
  /// The distance in bytes between neighbouring runs in the source.
  let sourceStride: Int
  /// The distance in bytes between their elements in the packed box.
  let packedStride: Int
  private let dimension: Int?
  private let extents: [Int]
  private let strides: [Int]
  private let packedStrides: [Int]
  private let unit: Int

  init(_ box: Tiling.Box, _ layout: StridedLayout, inputByteCount: Int) {
    let reading = box.reading
    dimension = reading.outer.last
    runCount = dimension.map { box.extents[$0] } ?? 1
    runsAtOnce = max(1, inputByteCount / reading.pitch)
    sourceStride = dimension.map { layout.strides[$0] } ?? 0
    packedStride = dimension.map { box.packedStrides[$0] } ?? 0
    var extents = box.extents
    for outer in reading.outer { extents[outer] = 1 }
    self.extents = extents
    var strides = layout.strides
    if let dimension { strides[dimension] = reading.pitch }
    self.strides = strides
    packedStrides = box.packedStrides
    unit = layout.unit
  }

  /// From where in the input buffer to where in the packed box the elements of `count` runs go.
  func layout(runs count: Int) -> StridedLayout {
    var extents = extents
    if let dimension { extents[dimension] = count }
    return StridedLayout(
      extents: extents, strides: strides, targetStrides: packedStrides, unit: unit)
  }
}

extension Tiling.Box {
  /// The places of the box's first element along `dimensions`: in the source, counted from the
  /// selection's first element, and among the packed elements of the box.
  fileprivate func odometer(over dimensions: [Int], in layout: StridedLayout) -> Odometer {
    Odometer(
      extents: dimensions.map { extents[$0] }, sourceStrides: dimensions.map { layout.strides[$0] },
      targetStrides: dimensions.map { packedStrides[$0] }, source: sourceOffset)
  }
}

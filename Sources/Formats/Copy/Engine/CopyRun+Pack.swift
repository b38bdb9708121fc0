internal import CkptBase
internal import CkptPlan

/// Small segments: adjacent ones share one write and, if they are adjacent in the source too, one
/// read.
extension CopyRun {
  /// The part of a file in the input buffer.
  private struct Window {
    let file: any ByteSource
    let range: Range<Int>
  }

  /// The maximum gap in a source that is read and dropped to save a read, in bytes.
  private static let gap = 4096

  /// Joins the bytes of `segments` and writes them.
  func pack(
    _ segments: Range<Int>, to outputOffset: Int, _ input: inout MutableRawSpan,
    _ output: inout MutableRawSpan
  ) throws(CheckpointError) {
    var window: Window?
    var filled = 0
    var written = 0
    for segment in segments {
      let count = workPlan.plan.segments[segment].byteCount
      guard count > 0 else { continue }
      let record = workPlan.recordSlot(of: segment)
      var place = output._mutatingExtracting(filled..<filled + count)
      filled += count
      switch workPlan.source(of: segment) {
      case .bytes(let bytes):
        place.copy(bytes.span.raw, to: 0)
      case .zeros:
        place.clear()
      case .stretch(let stretch):
        let last = segments.upperBound
        let start = try read(stretch, andThoseOf: segment + 1..<last, &window, &input)
        let bytes = input.bytes.extracting(start..<start + stretch.range.count)
        if let slot = stretch.slot {
          try enter(CRC32.checksum(bytes), byteCount: bytes.byteCount, ofRegionAt: slot)
        }
        if let cast = stretch.cast {
          CastKernels.cast(bytes, into: &place, cast)
        } else {
          place.copy(bytes, to: 0)
          stretch.change?.apply(to: &place)
        }
      case .elements(let elements):
        window = nil
        try fetch(elements.tiling.box(0), of: elements, into: &place, by: &input)
      case .computed where destination.isSequential:
        place.copy(computed(segment).span.raw, to: 0)
        continue
      case .computed where destination.canOverwrite:
        place.clear()
        continue
      case .computed:
        try write(output.bytes.extracting(written..<filled - count), to: outputOffset + written)
        written = filled
        continue
      case .assembly, .deflated: preconditionFailure("segment \(segment) cannot be packed")
      }
      enter(place.bytes, inRecordAt: record)
    }
    try write(output.bytes.extracting(written..<filled), to: outputOffset + written)
    progress.add(filled)
  }

  /// Loads `stretch` into the input buffer and returns its position.
  ///
  /// It also reads the following bytes that the next segments need.
  private func read(
    _ stretch: CopyTask.Stretch, andThoseOf segments: Range<Int>, _ window: inout Window?,
    _ input: inout MutableRawSpan
  ) throws(CheckpointError) -> Int {
    let wanted = stretch.range
    if let window, window.file === stretch.file, window.range.lowerBound <= wanted.lowerBound,
      wanted.upperBound <= window.range.upperBound
    {
      return wanted.lowerBound - window.range.lowerBound
    }
    window = nil
    let range = wanted.lowerBound..<end(of: stretch, andThoseOf: segments, limit: input.byteCount)
    var bytes = input._mutatingExtracting(0..<range.count)
    try stretch.file.readAll(at: range.lowerBound, into: &bytes)
    window = Window(file: stretch.file, range: range)
    return 0
  }

  /// Returns the end of a read that begins with `stretch` and includes the stretches shortly after
  /// it.
  private func end(
    of stretch: CopyTask.Stretch, andThoseOf segments: Range<Int>, limit: Int
  ) -> Int {
    var end = stretch.range.upperBound
    for segment in segments {
      switch workPlan.source(of: segment) {
      case .bytes, .zeros, .computed: continue
      case .elements, .assembly, .deflated: return end
      case .stretch(let next):
        guard next.file === stretch.file, next.range.lowerBound >= end,
          next.range.lowerBound - end <= CopyRun.gap,
          next.range.upperBound - stretch.range.lowerBound <= limit
        else { return end }
        end = next.range.upperBound
      }
    }
    return end
  }
}

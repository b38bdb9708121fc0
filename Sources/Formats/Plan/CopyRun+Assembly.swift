internal import Bytes

/// Assemblies: a window is put together in memory from all pieces that reach into it, and written.
extension CopyRun {
  /// Writes a window of an assembly.
  ///
  /// - Throws: `conflict` when pieces do not agree, naming the lowest byte of the window that they
  ///   do not agree about.
  func assemble(
    _ windows: AssemblyWindows, window number: Int, to outputOffset: Int,
    record: ChecksumLedger.Slot?, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(FormatError) {
    let window = windows.window(number)
    let span = window.count + 2 * windows.margin
    var memory = output._mutatingExtracting(0..<(windows.isTracked ? 2 * span : span))
    memory.clear()
    let frame = Frame(
      window: window, origin: window.lowerBound - windows.margin,
      marks: windows.isTracked ? span : nil)
    var conflict: (byte: Int, piece: AssemblyWindows.Piece)?
    for piece in windows.pieces where piece.placement.reach.overlaps(window) {
      if let byte = try place(piece, in: frame, of: &memory, by: &input),
        byte < conflict?.byte ?? .max
      {
        conflict = (byte, piece)
      }
    }
    if let conflict { throw windows.conflict(at: conflict.byte, in: conflict.piece) }
    let bytes = memory.bytes.extracting(windows.margin..<windows.margin + window.count)
    enter(bytes, inRecordAt: record)
    try write(bytes, to: outputOffset + window.lowerBound)
    progress.add(window.count)
  }

  /// Writes bytes in pieces that destinations take well.
  func write(_ bytes: RawSpan, to outputOffset: Int) throws(FormatError) {
    for start in stride(from: 0, to: bytes.byteCount, by: memory.transfer) {
      let end = min(start + memory.transfer, bytes.byteCount)
      try destination.write(bytes.extracting(start..<end), at: outputOffset + start)
    }
  }

  /// What working memory holds of an assembly.
  private struct Frame {
    /// The bytes that are wanted.
    let window: Range<Int>
    /// The byte of the assembly that lies at the start of the memory.
    let origin: Int
    /// How far behind each byte its mark lies, if there are marks.
    let marks: Int?
  }

  /// Puts the elements of `piece` that reach into a window in their places.
  ///
  /// Returns the lowest byte of the assembly, if there is one, that has another value already.
  private func place(
    _ piece: AssemblyWindows.Piece, in frame: Frame, of memory: inout MutableRawSpan,
    by input: inout MutableRawSpan
  ) throws(FormatError) -> Int? {
    var lowest: Int?
    var boxes = piece.placement.boxes(in: frame.window)
    while let box = boxes.next() {
      let tiling = Tiling(
        box.layout, budget: self.memory.box, readLimit: input.byteCount, inOrder: false)
      for number in 0..<tiling.count {
        let tile = tiling.box(number)
        var slabs = Slabs(
          tile, of: box.layout, targetStrides: box.layout.targetStrides,
          inputByteCount: input.byteCount)
        while let slab = slabs.next() {
          try read(
            slab, from: piece.file, at: piece.offset + box.source, piece.change, into: &input)
          let start = box.target + tile.outputOffset + slab.target
          var target = memory._mutatingExtracting((start - frame.origin)...)
          guard let marks = frame.marks else {
            ElementKernels.pack(slab.layout, from: input.bytes, into: &target)
            continue
          }
          if let offset = ElementKernels.merge(
            slab.layout, from: input.bytes, into: &target, marksAfter: marks)
          {
            lowest = min(lowest ?? .max, start + offset)
          }
        }
      }
    }
    return lowest
  }
}

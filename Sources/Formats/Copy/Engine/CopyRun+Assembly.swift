internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// Assemblies: each window is assembled in memory from all pieces inside it, and written.
extension CopyRun {
  /// Writes a window of an assembly.
  ///
  /// - Throws: `conflict` if pieces do not agree, with the lowest such byte of the window.
  func assemble(
    _ windows: AssemblyWindows, window number: Int, to outputOffset: Int,
    record: ChecksumCombiner.Slot?, _ input: inout MutableRawSpan, _ output: inout MutableRawSpan
  ) throws(CheckpointError) {
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
    if let cast = windows.assembly.cast {
      try write(
        bytes, cast, to: outputOffset + cast.byteCount(after: window.lowerBound), record: record,
        by: &input)
      return
    }
    enter(bytes, inRecordAt: record)
    try write(bytes, to: outputOffset + window.lowerBound)
    progress.add(window.count)
  }

  /// Writes bytes in pieces of a size that suits destinations.
  func write(_ bytes: RawSpan, to outputOffset: Int) throws(CheckpointError) {
    for start in stride(from: 0, to: bytes.byteCount, by: memory.transfer) {
      let end = min(start + memory.transfer, bytes.byteCount)
      try destination.write(bytes.extracting(start..<end), at: outputOffset + start)
    }
  }

  /// The part of an assembly in working memory.
  private struct Frame {
    /// The wanted bytes.
    let window: Range<Int>
    /// The byte of the assembly at the start of the memory.
    let origin: Int
    /// The distance from each byte to its mark, if there are marks.
    let marks: Int?
  }

  /// Places the elements of `piece` inside a window.
  ///
  /// Returns the lowest byte of the assembly that already has another value, or `nil`.
  private func place(
    _ piece: AssemblyWindows.Piece, in frame: Frame, of memory: inout MutableRawSpan,
    by input: inout MutableRawSpan
  ) throws(CheckpointError) -> Int? {
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

/// An assembly, divided into windows that are assembled in memory one by one.
struct AssemblyWindows: Sendable {
  /// A piece with the file of its bytes.
  struct Piece: Sendable {
    /// The file.
    let file: any ByteSource
    /// The offset of the first element in the file, in bytes.
    let offset: Int
    /// The positions of the elements.
    let placement: Placement
    /// The change to their bytes.
    let change: ElementChange?
    /// The number of the piece in the assembly.
    let number: Int
  }

  /// The assembly.
  let assembly: Assembly
  /// The non-empty pieces.
  let pieces: [Piece]
  /// Whether bytes can be covered more than once, so that the covered ones must be tracked.
  let isTracked: Bool
  /// The number of bytes before and after a window that elements on its edges can cover.
  let margin: Int
  private let windowByteCount: Int

  /// Divides `assembly` for workers with `memory`.
  init(_ assembly: Assembly, spool: Spool, memory: WorkerMemory) {
    self.assembly = assembly
    var pieces: [Piece] = []
    for (number, piece) in assembly.pieces.enumerated() where !piece.placement.isEmpty {
      guard let place = spool.place(of: piece.region) else {
        preconditionFailure("regions that are taken apart are spooled")
      }
      pieces.append(
        Piece(
          file: place.file, offset: place.offset + piece.sourceOffset, placement: Placement(piece),
          change: ElementChange(piece.placement), number: number))
    }
    self.pieces = pieces
    isTracked = !assembly.isDisjoint && AssemblyWindows.mayOverlap(pieces.map(\.placement))
    margin = (pieces.map(\.placement.unit).max() ?? 1) - 1
    let byteCount = AssemblyWindows.windowByteCount(
      pieces.map(\.placement), isTracked: isTracked, margin: margin, memory)
    // Casts apply to whole elements.
    windowByteCount = byteCount - byteCount % (assembly.cast?.source.byteCount ?? 1)
  }

  private static func mayOverlap(_ placements: [Placement]) -> Bool {
    guard !placements.contains(where: \.mayOverlapItself) else { return true }
    let reaches = placements.map(\.reach).sorted { $0.lowerBound < $1.lowerBound }
    return zip(reaches, reaches.dropFirst()).contains { $0.upperBound > $1.lowerBound }
  }

  /// Returns the largest useful window: each piece should have as many bytes in it as one read, and
  /// permuted pieces get longer reads with a larger window.
  private static func windowByteCount(
    _ placements: [Placement], isTracked: Bool, margin: Int, _ memory: WorkerMemory
  ) -> Int {
    let room = (isTracked ? memory.outputByteCount / 2 : memory.outputByteCount) - 2 * margin
    guard placements.allSatisfy(\.isInOrder) else { return room }
    return min(room, max(placements.count, 1) * memory.transfer)
  }

  /// The number of windows.
  var count: Int { (assembly.byteCount + windowByteCount - 1) / windowByteCount }

  /// Returns the bytes of the window with a number below ``count``.
  func window(_ number: Int) -> Range<Int> {
    let start = number * windowByteCount
    return start..<min(start + windowByteCount, assembly.byteCount)
  }

  /// Returns the error for pieces that do not agree about `byte`; one of them is `second`.
  func conflict(at byte: Int, in second: Piece) -> CheckpointError {
    let region = assembly.pieces[second.number].region
    let first = pieces.first { piece in
      var boxes = piece.placement.boxes(in: byte..<byte + 1)
      return boxes.next() != nil
    }
    guard let first, first.number != second.number else {
      return region.fault(
        .conflict, "elements that share byte \(assembly.origin + byte) of their storage differ")
    }
    let other = assembly.pieces[first.number].region
    return region.fault(
      .conflict,
      "byte \(assembly.origin + byte) of the storage it shares with '\(other.name)' differs")
  }
}

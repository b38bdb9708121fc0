internal import Bytes
internal import Graph

/// An assembly cut into windows that are put together in memory, one by one.
struct AssemblyWindows: Sendable {
  /// A piece, once it is known which file has its bytes.
  struct Piece: Sendable {
    /// The file.
    let file: SourceFile
    /// Where the first packed element lies, in bytes from the file's start.
    let offset: Int
    /// Where the elements go.
    let placement: Placement
    /// What happens to them on the way.
    let change: ElementChange?
    /// The number of the piece in the assembly.
    let number: Int
  }

  /// The assembly that is cut.
  let assembly: Assembly
  /// The pieces that have elements.
  let pieces: [Piece]
  /// Whether bytes may be reached more than once, so that it must be known which have been.
  let isTracked: Bool
  /// The bytes before and after a window that the elements on its edges may reach.
  let margin: Int
  private let windowByteCount: Int

  /// Cuts `assembly` for workers with `memory`.
  init(_ assembly: Assembly, spool: Spool, memory: WorkerMemory) {
    self.assembly = assembly
    var pieces: [Piece] = []
    for (number, piece) in assembly.pieces.enumerated() where !piece.placement.isEmpty {
      guard let place = spool.place(of: piece.region) else {
        preconditionFailure("regions that are taken apart are spooled")
      }
      pieces.append(
        Piece(
          file: place.file, offset: place.offset, placement: Placement(piece.placement),
          change: ElementChange(piece.placement), number: number))
    }
    self.pieces = pieces
    isTracked = AssemblyWindows.mayOverlap(pieces.map(\.placement))
    margin = (pieces.map(\.placement.unit).max() ?? 1) - 1
    windowByteCount = AssemblyWindows.windowByteCount(
      pieces.map(\.placement), isTracked: isTracked, margin: margin, memory)
  }

  private static func mayOverlap(_ placements: [Placement]) -> Bool {
    guard !placements.contains(where: \.mayOverlapItself) else { return true }
    let reaches = placements.map(\.reach).sorted { $0.lowerBound < $1.lowerBound }
    return zip(reaches, reaches.dropFirst()).contains { $0.upperBound > $1.lowerBound }
  }

  /// The largest window that is of use: each piece should have as many bytes in it as one read
  /// takes, and if its elements are permuted, reads get longer with the window.
  private static func windowByteCount(
    _ placements: [Placement], isTracked: Bool, margin: Int, _ memory: WorkerMemory
  ) -> Int {
    let room = (isTracked ? memory.outputByteCount / 2 : memory.outputByteCount) - 2 * margin
    guard placements.allSatisfy(\.isInOrder) else { return room }
    return min(room, max(placements.count, 1) * memory.transfer)
  }

  /// The number of windows.
  var count: Int { (assembly.byteCount + windowByteCount - 1) / windowByteCount }

  /// The bytes of the window of a number below ``count``.
  func window(_ number: Int) -> Range<Int> {
    let start = number * windowByteCount
    return start..<min(start + windowByteCount, assembly.byteCount)
  }

  /// The error for pieces that do not agree about `byte`, one of them being piece `second`.
  func conflict(at byte: Int, in second: Piece) -> FormatError {
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

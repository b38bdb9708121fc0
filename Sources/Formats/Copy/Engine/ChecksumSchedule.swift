internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// The checks of a plan's source regions, decided before any byte is copied.
///
/// Stored regions that are copied as a whole are checked during the copy, whatever the number of
/// segments. Other regions with a checksum are read once more. A deflated region can only be
/// decoded from its start; unless segments take it as a whole, it is decoded once into a temporary
/// file.
struct ChecksumSchedule {
  /// A region that is read only to check it.
  struct Inspection {
    /// The region.
    let region: FileRegion
    /// The slot of its first piece; a deflated region is one piece and needs none.
    let slot: ChecksumCombiner.Slot?
    /// The segment before which it is checked, while its bytes are in the page cache.
    let segment: Int
  }

  /// The stored regions to check, by their first mention.
  ///
  /// Their numbers are those of the combiner's sums.
  private(set) var checked: [RegionRef] = []
  /// The number of pieces of each of ``checked``.
  private(set) var pieceCounts: [Int32] = []
  /// For each segment, the slot of its first piece if its bytes are pieces of a checked region.
  private(set) var slots: [ChecksumCombiner.Slot?]
  /// The regions that no segment checks, in segment order.
  private(set) var inspections: [Inspection] = []
  /// The deflated regions to decode into a temporary file.
  private(set) var spooled: [FileRegion] = []
  /// The source files; none is a part of another.
  private(set) var sources: [any ByteSource] = []

  /// Examines all segments of `plan` for workers with `memory`.
  ///
  /// - Throws: `malformed` or `truncated` if a segment needs missing bytes, `checksumMismatch` for
  ///   an empty region with a checksum.
  init(_ plan: FilePlan, memory: WorkerMemory) throws(CheckpointError) {
    slots = Array(repeating: nil, count: plan.segments.count)
    let uses = try RegionIndex(plan)
    var known: Set<ObjectIdentifier> = []
    for use in uses.uses {
      let region = plan.region(use.mention)
      let source = region.source.origin.source
      if sources.last !== source, known.insert(ObjectIdentifier(source)).inserted {
        sources.append(source)
      }
      switch region.encoding {
      case .stored: try check(region, use, uses, memory)
      case .deflated: decode(region, use)
      }
    }
    inspections.sort { $0.segment < $1.segment }
  }

  /// The number of bytes to read or decode in addition to the output.
  var extraByteCount: Int {
    inspections.reduce(0) { $0 + $1.region.byteCount } + spooled.reduce(0) { $0 + $1.byteCount }
  }

  private mutating func check(
    _ region: FileRegion, _ use: RegionIndex.Use, _ uses: RegionIndex, _ memory: WorkerMemory
  ) throws(CheckpointError) {
    guard region.crc32 != nil else { return }
    guard region.byteCount > 0 else { return try region.requireChecksum(0) }
    let entry = Int32(checked.count)
    var pieces: Int32 = 0
    let carriers = uses.copiesOfTheWhole(use, byteCount: region.byteCount)
    for copy in carriers {
      slots[copy.segment] = ChecksumCombiner.Slot(entry: entry, piece: pieces)
      pieces += Int32(memory.chunkCount(copy.range.count))
    }
    if carriers.isEmpty {
      let slot = ChecksumCombiner.Slot(entry: entry, piece: 0)
      inspections.append(Inspection(region: region, slot: slot, segment: use.mention.segment))
      pieces = Int32(memory.chunkCount(region.byteCount))
    }
    checked.append(use.mention)
    pieceCounts.append(pieces)
  }

  private mutating func decode(_ region: FileRegion, _ use: RegionIndex.Use) {
    if use.isTakenApart {
      spooled.append(region)
    } else if use.lastCopy == nil {
      inspections.append(Inspection(region: region, slot: nil, segment: use.mention.segment))
    }
  }
}

/// Combines checksums of pieces that arrive in any order from any thread.
final class ChecksumCombiner: Sendable {
  /// The position of a piece: its sum, and its number in the sum.
  struct Slot: Sendable {
    /// The number of the sum.
    var entry: Int32
    /// The number of the piece, or of the first of several.
    var piece: Int32

    /// Returns the slot `count` pieces later.
    func advanced(by count: Int) -> Slot { Slot(entry: entry, piece: piece + Int32(count)) }
  }

  private struct Entry {
    /// The number of pieces that have not arrived.
    var missing: Int32
    /// The sum after all pieces arrived.
    var sum: UInt32 = 0
    /// The pieces; empty before the first one and after the last one, to save memory.
    var pieces: [(checksum: UInt32, byteCount: Int)] = []
  }

  private let entries: Locked<[Entry]>

  /// Creates one sum for each of `pieceCounts`, with that many pieces.
  init(pieceCounts: [Int32]) {
    entries = Locked(pieceCounts.map { Entry(missing: $0) })
  }

  /// Adds a piece.
  ///
  /// Returns the sum after its last piece.
  func enter(_ checksum: UInt32, byteCount: Int, at slot: Slot) -> UInt32? {
    entries.withLock { entries in
      let number = Int(slot.entry)
      if entries[number].missing == 1, entries[number].pieces.isEmpty {
        entries[number].missing = 0
        entries[number].sum = checksum
        return checksum
      }
      if entries[number].pieces.isEmpty {
        entries[number].pieces = Array(repeating: (0, 0), count: Int(entries[number].missing))
      }
      entries[number].pieces[Int(slot.piece)] = (checksum, byteCount)
      entries[number].missing -= 1
      guard entries[number].missing == 0 else { return nil }
      var sum = CRC32()
      for piece in entries[number].pieces {
        sum.append(piece.checksum, byteCount: piece.byteCount)
      }
      entries[number].pieces = []
      entries[number].sum = sum.value
      return sum.value
    }
  }

  /// Returns a sum whose pieces have all arrived.
  func sum(_ number: Int) -> UInt32 {
    entries.withLock { entries in
      precondition(entries[number].missing == 0, "record \(number) is not complete yet")
      return entries[number].sum
    }
  }
}

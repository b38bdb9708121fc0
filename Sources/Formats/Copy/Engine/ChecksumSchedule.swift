internal import CkptBase
internal import CkptGraph
internal import CkptPlan

/// What a plan asks of the regions it takes bytes from, found out before any byte moves.
///
/// Stored regions that are copied whole are checked on the way, whatever number of segments share
/// the work. All other regions with a checksum are read once more for it. Deflated regions have no
/// byte that can be reached without all before it; unless segments take them whole, they are
/// decoded once into a temporary file.
struct ChecksumSchedule {
  /// A region that is read only to be checked.
  struct Inspection {
    /// The region.
    let region: FileRegion
    /// The slot of its first piece; deflated regions are one piece and need none.
    let slot: ChecksumCombiner.Slot?
    /// The segment before which it is done, so that the bytes are still in the page cache.
    let segment: Int
  }

  /// The stored regions that are checked, by where they are mentioned; their numbers are those of
  /// the ledger's sums.
  private(set) var checked: [RegionRef] = []
  /// The number of pieces in which each of ``checked`` arrives.
  private(set) var pieceCounts: [Int32] = []
  /// For each segment, the slot of its first piece if its bytes are pieces of a checked region.
  private(set) var slots: [ChecksumCombiner.Slot?]
  /// The regions that no segment checks on the way, in the order of their segments.
  private(set) var inspections: [Inspection] = []
  /// The deflated regions that are decoded into a temporary file.
  private(set) var spooled: [FileRegion] = []
  /// The sources that bytes come from, none of which is a part of another.
  private(set) var sources: [any ByteSource] = []

  /// Looks through all segments of `plan`, which workers with `memory` will carry out.
  ///
  /// - Throws: `malformed` or `truncated` when one asks for bytes that are not there,
  ///   `checksumMismatch` when an empty region has a checksum.
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

  /// The bytes that are read or decoded beside those of the output.
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

/// Sums up checksums of pieces that arrive in any order from any thread.
final class ChecksumCombiner: Sendable {
  /// The place of a piece's checksum: which sum it belongs to, and which of its pieces it is.
  struct Slot: Sendable {
    /// The number of the sum.
    var entry: Int32
    /// The number of the piece, or of the first of several.
    var piece: Int32

    /// The slot of a piece `count` further on.
    func advanced(by count: Int) -> Slot { Slot(entry: entry, piece: piece + Int32(count)) }
  }

  private struct Entry {
    /// How many pieces are still to come.
    var missing: Int32
    /// The sum once there is none to come.
    var sum: UInt32 = 0
    /// Empty before the first piece and after the last, so that only sums at work take memory.
    var pieces: [(checksum: UInt32, byteCount: Int)] = []
  }

  private let entries: Locked<[Entry]>

  /// A ledger with one sum for each of `pieceCounts`, of that many pieces.
  init(pieceCounts: [Int32]) {
    entries = Locked(pieceCounts.map { Entry(missing: $0) })
  }

  /// Enters a piece; returns the sum when it was the last one missing.
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

  /// A sum all of whose pieces have been entered.
  func sum(_ number: Int) -> UInt32 {
    entries.withLock { entries in
      precondition(entries[number].missing == 0, "record \(number) is not complete yet")
      return entries[number].sum
    }
  }
}

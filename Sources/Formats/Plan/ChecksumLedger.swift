internal import Bytes
internal import Codecs

/// Sums up checksums of pieces that arrive in any order from any thread.
final class ChecksumLedger: Sendable {
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

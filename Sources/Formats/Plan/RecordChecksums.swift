/// The CRC-32 of the records of an output, for the segments that are computed from them.
public struct RecordChecksums: Sendable {
  private let ledger: ChecksumLedger

  /// The sums of `ledger`, by the numbers that ``FilePlan/closeRecord(from:)`` gave.
  init(_ ledger: ChecksumLedger) { self.ledger = ledger }

  /// The checksum of a record that ends before the segment that asks.
  public subscript(record: Int) -> UInt32 { ledger.sum(record) }
}

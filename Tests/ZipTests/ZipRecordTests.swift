import CkptBase
import CkptTestSupport
import Testing
import CkptZip

@Suite("ZIP records")
struct ZipRecordTests {
  static let zeros = [UInt8](repeating: 0, count: 1 + 258 * 4)

  private func read(_ record: ZipBuilder.Record, limit: Int = 100_000) throws -> [UInt8] {
    let builder = ZipBuilder([record, .init("other", [1])])
    let directory = try ZipDirectory(reading: TemporaryFile.holding(builder.bytes()))
    return try directory.readRecord(directory.entries[0], limit: limit)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let record: ZipBuilder.Record
    let data: [UInt8]
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "stored", record: .init("a", [1, 2, 3]), data: [1, 2, 3]),
    Case(name: "stored and empty", record: .init("a", []), data: []),
    Case(
      name: "deflated", record: .init("a", zeros, deflated: Deflate.zeros(runs: 4)), data: zeros),
    Case(
      name: "deflated and empty", record: .init("a", [], deflated: Deflate.stored([])), data: []),
    Case(
      name: "deflated in more than one read",
      record: .init(
        "a", [UInt8](repeating: 9, count: 90_000),
        deflated: Deflate.stored([UInt8](repeating: 9, count: 90_000), blockByteCount: 1000)),
      data: [UInt8](repeating: 9, count: 90_000)),
  ]

  @Test("A record reads back as it was", arguments: cases)
  func reads(_ test: Case) throws {
    #expect(try read(test.record) == test.data)
  }

  @Test("A record of exactly the limit is read, one byte more is not")
  func limit() throws {
    #expect(try read(.init("a", [1, 2, 3]), limit: 3) == [1, 2, 3])
    let error = #expect(throws: CheckpointError.self) { try read(.init("a", [1, 2, 3]), limit: 2) }
    #expect(error?.code == .limitExceeded)
    #expect(error?.path == ["a"])
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    let name: String
    let code: CheckpointError.Code
    let words: String
    let record: ZipBuilder.Record
    var testDescription: String { name }
  }

  static let damages = [
    Damage(
      name: "a checksum that does not match", code: .checksumMismatch,
      words: "the data has CRC-32 55bc801d, but the archive says 55bc801c",
      record: record("a", [1, 2, 3]) { $0.crc32 ^= 1 }),
    Damage(
      name: "a zero checksum among others", code: .checksumMismatch, words: "says 00000000",
      record: record("a", [1, 2, 3]) { $0.crc32 = 0 }),
    Damage(
      name: "a checksum of deflated data that does not match", code: .checksumMismatch,
      words: "the archive says",
      record: record("a", zeros, Deflate.zeros(runs: 4)) { $0.crc32 ^= 1 }),
    Damage(
      name: "a stream that is not deflate", code: .malformed, words: "invalid block type",
      record: record("a", [1], [7, 7]) { _ in }),
    Damage(
      name: "a stream cut short", code: .malformed, words: "ends before its last block",
      record: record("a", zeros, Deflate.zeros(runs: 4)) { $0.stored.removeLast() }),
    Damage(
      name: "no stream at all", code: .malformed, words: "ends before its last block",
      record: record("a", [], []) { _ in }),
    Damage(
      name: "more data than announced", code: .malformed, words: "more than its size of 1032 bytes",
      record: record("a", zeros, Deflate.zeros(runs: 4)) { $0.byteCount -= 1 }),
    Damage(
      name: "less data than announced", code: .malformed,
      words: "inflate to 1033 bytes, but the declared size is 1034",
      record: record("a", zeros, Deflate.zeros(runs: 4)) { $0.byteCount += 1 }),
    Damage(
      name: "bytes behind the stream", code: .malformed, words: "5 of 6 bytes inflate to 0",
      record: record("a", [], Deflate.stored([])) { $0.stored.append(0) }),
  ]

  private static func record(
    _ name: String, _ data: [UInt8], _ stream: [UInt8]? = nil,
    _ edit: (inout ZipBuilder.Record) -> Void
  ) -> ZipBuilder.Record {
    var record =
      stream.map { ZipBuilder.Record(name, data, deflated: $0) } ?? ZipBuilder.Record(name, data)
    edit(&record)
    return record
  }

  @Test("Damaged records are refused by name", arguments: damages)
  func damaged(_ test: Damage) throws {
    let error = #expect(throws: CheckpointError.self) { try read(test.record) }
    #expect(error?.code == test.code)
    #expect(error?.path == ["a"])
    #expect(error?.message.contains(test.words) == true, "\(error?.message ?? "")")
  }

  @Test("Without checksums in the archive none is checked")
  func unchecked() throws {
    var builder = ZipBuilder([.init("a", [1, 2, 3])])
    builder.records[0].crc32 = 0
    let directory = try ZipDirectory(reading: TemporaryFile.holding(builder.bytes()))
    #expect(try directory.readRecord(directory.entries[0], limit: 3) == [1, 2, 3])
  }

  @Test("A file that shrinks after it was opened is told, not trapped on")
  func shrunk() throws {
    for record in [
      ZipBuilder.Record("a", [1, 2, 3]),
      ZipBuilder.Record("a", Self.zeros, deflated: Deflate.zeros(runs: 4)),
    ] {
      let directory = try TemporaryFile.shrinking(ZipBuilder([record]).bytes(), to: 65) {
        try ZipDirectory(reading: $0)
      }
      let error = #expect(throws: CheckpointError.self) {
        try directory.readRecord(directory.entries[0], limit: 10_000)
      }
      #expect(error?.code == .truncated)
      #expect(error?.path == ["a"])
    }
  }
}

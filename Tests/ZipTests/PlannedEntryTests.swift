import CkptGraph
import Testing

@testable import CkptZip

@Suite("The headers of large records are those of torch.save")
struct PlannedEntryTests {
  @Test("A local header of a record of 4 GiB has its uncompressed size, and zero for the other")
  func largeRecord() throws {
    let byteCount = (1 << 32) + 100
    let entry = PlannedEntry(
      name: "big/data/0", encoding: .stored, byteCount: byteCount, storedByteCount: byteCount,
      offset: 726)
    // Of a file that torch 2.13 wrote.
    let fixed: [UInt8] =
      [0x50, 0x4b, 0x03, 0x04, 0, 0, 0x08, 0x08] + [UInt8](repeating: 0, count: 18)
      + [0x0a, 0, 0x42, 0]
    let sizes: [UInt8] =
      [0x01, 0, 0x10, 0, 0x64, 0, 0, 0, 0x01, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
    let filler: [UInt8] = [0x46, 0x42, 0x2a, 0] + [UInt8](repeating: 0x5a, count: 42)
    #expect(
      try entry.localHeader(alignment: 64) == fixed + Array("big/data/0".utf8) + sizes + filler)
  }

  @Test("One of a small record behind 4 GiB has where it is, and no sizes")
  func distantRecord() throws {
    let entry = PlannedEntry(
      name: "a", encoding: .stored, byteCount: 4, storedByteCount: 4, offset: 1 << 32)
    let header = try entry.localHeader(alignment: 1)
    #expect(
      Array(header[31...]) == [0x01, 0, 0x08, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0x46, 0x42, 0, 0])
  }
}

import CkptBase
import CkptTestSupport
import Testing
import CkptZip

@Suite("ZIP sweeps")
struct ZipSweepTests {
  private typealias Contents = [(name: String, data: [UInt8])]

  /// A small archive with everything: deflate, an empty entry, a directory, ZIP64 fields.
  static let archive: [UInt8] = {
    var builder = ZipBuilder([
      .init("a/data.pkl", Array("pickle".utf8)),
      .init("a/code", [UInt8](repeating: 0, count: 259), deflated: Deflate.zeros(runs: 1)),
      .init("a/data/", []),
      .init("a/data/0", [1, 2, 3]),
    ])
    builder.alignment = 8
    builder.records[3].forcesZip64 = true
    return builder.bytes()
  }()

  /// Opens the archive and reads every record; checks what must hold of any file that opens.
  private func contents(of bytes: [UInt8]) throws -> Contents {
    let file = try TemporaryFile.holding(bytes)
    let directory = try ZipDirectory(reading: file)
    for entry in directory.entries {
      #expect(entry.localHeaderOffset >= 0 && entry.localHeaderOffset < entry.dataOffset)
      #expect(entry.dataRange.upperBound <= file.byteCount)
    }
    return try directory.entries.map {
      ($0.name, try directory.readRecord($0, limit: Limits.smallRecordBytes))
    }
  }

  @Test("An archive cut anywhere is refused")
  func truncations() throws {
    for count in Self.archive.indices {
      #expect(throws: CheckpointError.self, "cut at \(count)") {
        try contents(of: Array(Self.archive.prefix(count)))
      }
    }
  }

  @Test("No flipped bit changes what is read: it is refused or does not matter")
  func bitFlips() throws {
    let whole = try contents(of: Self.archive)
    for bit in stride(from: 0, to: Self.archive.count * 8, by: Thoroughness.stride) {
      var bytes = Self.archive
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        let read = try contents(of: bytes)
        let isSame = read.elementsEqual(whole) { $0.name == $1.name && $0.data == $1.data }
        #expect(isSame, "bit \(bit % 8) of byte \(bit / 8)")
      } catch is CheckpointError {}
    }
  }

  @Test("Bytes replaced at random are refused or read, never trapped on")
  func mutations() throws {
    var generator = SeededGenerator(seed: 0x5eed_0001)
    let interesting: [UInt8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff, 0x50, 0x4b]
    for _ in 0..<4000 / Thoroughness.stride {
      var bytes = Self.archive
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        let index = Int.random(in: bytes.indices, using: &generator)
        // Runs of one value reach fields of several bytes at once.
        for offset in 0..<Int.random(in: 1...9, using: &generator)
        where index + offset < bytes.count {
          bytes[index + offset] = interesting.randomElement(using: &generator) ?? 0
        }
      }
      do { _ = try contents(of: bytes) } catch is CheckpointError {}
    }
  }
}

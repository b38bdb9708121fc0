import CkptBase
import CkptCheckpoints
import CkptTestSupport
import Testing

@testable import CkptBatch

@Suite("A journal tells what is whole, and nothing else counts")
struct JournalTests {
  private static func record(_ number: Int, _ state: JournalRecord.State = .done) -> JournalRecord {
    var record = JournalRecord(
      state, verb: "pt-to-safetensors", settings: "--layout=olmo", item: "a/step\(number)")
    record.run = 3
    record.inputs = [
      FileIdentity(path: "runs/\"a\"/\u{1F600}", byteCount: 17, modified: -5, sha256: "00ff")
    ]
    record.outputs = [FileIdentity(path: "a/model.safetensors", byteCount: 1 << 40, modified: 9)]
    record.isVerified = true
    record.problems = ["one", "two"]
    record.failure = JournalRecord.Failure(CheckpointError(.truncated, "cut\noff", remedy: "again"))
    return record
  }

  private static let lines = (1...3).map { record($0).line(\.description) }

  @Test("A record is read as it was written")
  func roundTrip() throws {
    for state in [JournalRecord.State.planned, .done, .failed] {
      let record = Self.record(1, state)
      let object = try #require(ChecksummedLine.open(record.line(\.description).dropLast()))
      #expect(try JournalRecord(reading: object.span) == record)
    }
  }

  @Test("A last line that is cut off anywhere does not count and is cut away")
  func tornLine() throws {
    let whole = Array(Self.lines.joined())
    let kept = Self.lines[0].count + Self.lines[1].count
    for length in kept..<whole.count {
      let contents = Journal.contents(in: Array(whole.prefix(length)))
      #expect(contents.objects.count == 2)
      #expect(contents.damagedCount == 0)
      #expect(contents.wholeByteCount == kept)
    }
  }

  @Test("What is appended after a crash stands on a line of its own")
  func appendsAfterTear() throws {
    let directory = try TemporaryDirectory()
    try directory.write(Array(Self.lines.joined()).dropLast(7), to: "journal.jsonl")
    try Journal(path: directory / "journal.jsonl").append([Self.lines[2]])
    #expect(directory.bytes(of: "journal.jsonl") == Array(Self.lines.joined()))
  }

  @Test("A changed byte anywhere in a line makes it not count")
  func editedLine() {
    for index in Self.lines[1].indices.dropLast() {
      var lines = Self.lines
      lines[1][index] ^= 1
      // A line feed in the middle makes two damaged lines of one.
      guard lines[1][index] != UInt8(ascii: "\n") else { continue }
      let contents = Journal.contents(in: Array(lines.joined()))
      #expect(contents.objects.count == 2)
      #expect(contents.damagedCount == 1)
    }
  }

  @Test("A file of another program is not taken for a journal")
  func foreignFile() throws {
    let directory = try TemporaryDirectory()
    try directory.write(Array("{\"state\":\"done\"}\n".utf8), to: "journal.jsonl")
    let error = try #require(throws: CheckpointError.self) {
      _ = try Journal(path: directory / "journal.jsonl")
    }
    #expect(error.code == .malformed)
    #expect(directory.bytes(of: "journal.jsonl") == Array("{\"state\":\"done\"}\n".utf8))
  }

  @Test("A journal of a later version is refused")
  func laterVersion() throws {
    let directory = try TemporaryDirectory()
    let line = ChecksummedLine.seal(Array("{\"version\":2,\"new\":[]}".utf8))
    try directory.write(line, to: "journal.jsonl")
    let error = try #require(throws: CheckpointError.self) {
      _ = try JournalHistory(readingFrom: directory.path)
    }
    #expect(error.code == .unsupported)
  }

  @Test("Of several journals, the later run of an item counts")
  func laterRunCounts() {
    var (early, late) = (Self.record(1, .done), Self.record(1, .failed))
    early.run = 1
    late.run = 2
    for records in [[early, late], [late, early]] {
      var history = JournalHistory()
      for record in records { history.add(record) }
      #expect(history.record(of: "a/step1", by: early.verb)?.state == .failed)
      #expect(history.lastRun == 2)
    }
  }

  @Test("Identities are those of one content by time, or by hash where both have one")
  func identities() {
    let known = FileIdentity(path: "a", byteCount: 5, modified: 1, sha256: "aa")
    func same(_ byteCount: Int, _ modified: Int, _ hash: String?) -> Bool {
      FileIdentity(path: "b", byteCount: byteCount, modified: modified, sha256: hash)
        .isSameContent(as: known)
    }
    #expect(same(5, 1, nil))
    #expect(!same(5, 2, nil))
    #expect(!same(6, 1, "aa"))
    #expect(same(5, 2, "aa"))
    #expect(!same(5, 1, "bb"))
  }
}

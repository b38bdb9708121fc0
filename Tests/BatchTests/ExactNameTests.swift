import CkptBase
import CkptCheckpoints
import CkptTestSupport
import Testing

@testable import CkptBatch

@Suite("Names that only Unicode calls the same are different items")
struct ExactNameTests {
  private static let names = ["\(Spellings.composed).pt", "\(Spellings.decomposed).pt"]

  private static func item(_ name: String, writes: [String] = []) -> BatchItem {
    BatchItem(
      name: name, input: name, work: .success(FakeWork(reads: [name], writes: writes)),
      readByteCount: 1)
  }

  private static func utf8(_ names: some Sequence<String>) -> [[UInt8]] {
    names.map { Array($0.utf8) }
  }

  @Test("A plan has both, and neither output is in the way of the other")
  func plan() throws {
    let inputs = Self.names.map { FoundInput($0, below: ".") }
    let plan = try BatchPlan(of: FakeVerb(), on: inputs, root: "out")
    #expect(Self.utf8(plan.items.map(\.name)) == Self.utf8(Self.names))
    for item in plan.items {
      #expect(throws: Never.self) { try item.work.get() }
    }
  }

  @Test("A pattern finds both")
  func pattern() throws {
    let directory = try TemporaryDirectory()
    for name in Self.names { try directory.write([1], to: name) }
    let pattern = try #require(GlobPattern(directory / "*.pt"))
    var faults: [GlobMatches.Fault] = []
    #expect(GlobMatches.paths(for: pattern, faults: &faults).count == 2)
    #expect(faults.isEmpty)
  }

  @Test("Each belongs to the shard that it was given to")
  func shards() throws {
    var balance = ShardBalance(shardCount: 2)
    for (index, name) in Self.names.enumerated() {
      balance.give(name, byteCount: 1, to: index + 1)
    }
    #expect(balance.owners.count == 2)
    let directory = try TemporaryDirectory()
    let items = Self.names.map { Self.item($0) }
    for index in 1...2 {
      let names = try ShardAssignments(in: directory.path, count: 2).names(
        of: #require(Shard(index: index, of: 2)), among: items, writing: true)
      #expect(names.count == 1)
    }
  }

  @Test("The journal tells of each")
  func journal() {
    var history = JournalHistory()
    for (index, name) in Self.names.enumerated() {
      var record = JournalRecord(.done, verb: "fake", settings: "", item: name)
      record.run = index + 1
      history.add(record)
    }
    #expect(Self.names.map { history.record(of: $0, by: "fake")?.run } == [1, 2])
  }

  @Test("An item that reads both is finished when both are as they were")
  func resume() throws {
    let directory = try TemporaryDirectory()
    var record = JournalRecord(.done, verb: "fake", settings: "", item: "run")
    for (index, name) in Self.names.enumerated() {
      try directory.write(Array(repeating: 0, count: index + 1), to: name)
      record.inputs.append(try FileIdentity(of: directory / name))
    }
    var history = JournalHistory()
    history.add(record)
    let reads = Self.names.reversed().map { directory / $0 }
    let item = BatchItem(
      name: "run", input: "run", work: .success(FakeWork(reads: reads)), readByteCount: 3)
    var rules = BatchRules()
    rules.resumes = true
    let check = ResumeCheck(root: directory.path, verb: "fake", rules: rules)
    guard case .finished = check.standing(of: item, in: history) else {
      Issue.record("it would be done again")
      return
    }
  }

  @Test("An input is deleted when the output has the other's name")
  func deletion() throws {
    let directory = try TemporaryDirectory()
    for name in Self.names { try directory.write([1], to: name) }
    let paths = Self.names.map { directory / $0 }
    let item = BatchItem(
      name: "x", input: paths[0],
      work: .success(FakeWork(reads: [paths[0]], writes: [paths[1]])), readByteCount: 1)
    #expect(SourceDeletion.carryOut(item) == nil)
    #expect(Self.utf8(directory.names) == Self.utf8([Self.names[1]]))
  }

  // For Swift a slash and an accent behind it are one character; for the system they are two.
  @Test("A name that begins with a combining accent stands behind its slash")
  func accents() throws {
    let tree = OutputTree(bases: ["runs"], currentDirectory: "/work")
    #expect(tree.name(of: "runs/\u{301}a/step1") == "\u{301}a/step1")
    let pattern = try #require(GlobPattern("runs/\u{301}a/*.pt"))
    #expect(pattern.base == "runs/\u{301}a")
    let directory = try TemporaryDirectory()
    let store = try BatchStore(root: directory.path, for: FakeVerb(), shard: nil, \.description)
    #expect(store.nameBelowRoot(directory / "\u{301}a") == "\u{301}a")
    #expect(CSVRow.cells(of: "step1,\u{301}a") == ["step1", "\u{301}a"])
  }
}

import CkptBase
import CkptTestSupport
import Testing

@testable import CkptBatch

@Suite("Shards are balanced, disjoint and complete")
struct ShardTests {
  struct Division: Sendable, CustomTestStringConvertible {
    let itemCount: Int
    let shardCount: Int
    let seed: UInt64
    var testDescription: String { "\(itemCount) items in \(shardCount)" }
  }

  static let divisions = [
    Division(itemCount: 0, shardCount: 3, seed: 1), Division(itemCount: 1, shardCount: 8, seed: 2),
    Division(itemCount: 7, shardCount: 7, seed: 3),
    Division(itemCount: 500, shardCount: 1, seed: 4),
    Division(itemCount: 500, shardCount: 8, seed: 5),
    Division(itemCount: 1001, shardCount: 64, seed: 6),
  ]

  private static func items(_ division: Division) -> [(name: String, byteCount: Int)] {
    var generator = SeededGenerator(seed: division.seed)
    return (0..<division.itemCount).map { number in
      ("step\(number)", Int.random(in: 0...1_000_000, using: &generator))
    }
  }

  @Test("Each item has one owner, and no load is far above the average", arguments: divisions)
  func balances(_ division: Division) {
    let items = Self.items(division)
    var balance = ShardBalance(shardCount: division.shardCount)
    let dealt = balance.deal(items)
    #expect(Set(dealt.map(\.name)) == Set(items.map(\.name)))
    #expect(dealt.count == items.count)
    var loads: [Int: Int] = [:]
    for item in dealt {
      #expect((1...division.shardCount).contains(item.shard))
      loads[item.shard, default: 0] += item.byteCount
    }
    let average = Double(items.reduce(0) { $0 + $1.byteCount }) / Double(division.shardCount)
    // The bound of the method: the average and one more item.
    let bound = average + Double(items.map(\.byteCount).max() ?? 0)
    #expect(loads.values.allSatisfy { Double($0) <= bound })
    if division.itemCount >= 500 {
      #expect(loads.values.allSatisfy { Double($0) <= average * 1.01 })
    }
  }

  @Test("The order in which items are found changes nothing", arguments: divisions)
  func isDeterministic(_ division: Division) {
    let items = Self.items(division)
    var (first, second) = (
      ShardBalance(shardCount: division.shardCount), ShardBalance(shardCount: division.shardCount)
    )
    _ = first.deal(items)
    _ = second.deal(items.reversed())
    #expect(first.owners == second.owners)
  }

  @Test("Items of no size are dealt out by number")
  func balancesEmptyItems() {
    var balance = ShardBalance(shardCount: 4)
    let dealt = balance.deal((0..<12).map { ("item\($0)", 0) })
    for shard in 1...4 { #expect(dealt.count { $0.shard == shard } == 3) }
  }

  @Test("What a task has written down holds for those that see other inputs")
  func ledgerHolds() throws {
    let directory = try TemporaryDirectory()
    func names(_ index: Int, _ items: [BatchItem]) throws -> Set<ExactString> {
      let shard = try #require(Shard(index: index, of: 2))
      return try ShardAssignments(in: directory.path, count: 2)
        .names(of: shard, among: items, writing: true)
    }
    let items = (1...9).map { number in
      BatchItem(
        name: "step\(number)", input: "step\(number)",
        work: .success(FakeWork(reads: [], writes: [])), readByteCount: number * 100)
    }
    let first = try names(1, items)
    // The inputs of the first task are gone, and the training run has written others.
    let later =
      items.filter { !first.contains($0.name) } + [
        BatchItem(
          name: "step10", input: "step10", work: .success(FakeWork(reads: [], writes: [])),
          readByteCount: 5000)
      ]
    let second = try names(2, later)
    #expect(first.isDisjoint(with: second))
    #expect(
      try first.union(second).union(names(1, later)) == Set(names: (1...10).map { "step\($0)" }))
  }

  struct Task: Sendable, CustomTestStringConvertible {
    let environment: [String: String]
    let shard: Shard?
    var testDescription: String { "\(environment)" }

    init(_ environment: [String: String], is shard: String?) {
      self.environment = environment
      self.shard = shard.flatMap { Shard($0) }
    }
  }

  static let tasks = [
    Task([:], is: nil),
    Task(["ID": "0", "COUNT": "4", "MIN": "0", "MAX": "3", "STEP": "1"], is: "1/4"),
    Task(["ID": "3", "COUNT": "4", "MIN": "0", "MAX": "3", "STEP": "1"], is: "4/4"),
    Task(["ID": "7", "COUNT": "3", "MIN": "5", "MAX": "7", "STEP": "1"], is: "3/3"),
    Task(["ID": "20", "COUNT": "4", "MIN": "10", "MAX": "40", "STEP": "10"], is: "2/4"),
    // Slurm tells the upper end of the range that was asked for, which a step may pass over.
    Task(["ID": "6", "COUNT": "3", "MIN": "0", "MAX": "8", "STEP": "3"], is: "3/3"),
    Task(["ID": "5", "COUNT": "1", "MIN": "5", "MAX": "5", "STEP": "1"], is: "1/1"),
  ]

  @Test("A task of a Slurm array knows its shard", arguments: tasks)
  func slurm(_ test: Task) throws {
    let shard = try Shard.ofSlurmTask { name in
      test.environment[String(name.dropFirst("SLURM_ARRAY_TASK_".count))]
    }
    #expect(shard == test.shard)
  }

  static let irregular = [
    Task(["ID": "5", "COUNT": "3", "MIN": "1", "MAX": "7", "STEP": "1"], is: nil),
    Task(["ID": "2", "COUNT": "2", "MIN": "1", "MAX": "5", "STEP": "2"], is: nil),
    Task(["ID": "9", "COUNT": "2", "MIN": "1", "MAX": "2", "STEP": "1"], is: nil),
    Task(
      ["ID": "-9223372036854775808", "COUNT": "2", "MIN": "1", "MAX": "2", "STEP": "1"], is: nil),
  ]

  @Test("An array whose numbers have no regular distance is refused", arguments: irregular)
  func irregularArray(_ test: Task) throws {
    let error = try #require(throws: CheckpointError.self) {
      _ = try Shard.ofSlurmTask { name in
        test.environment[String(name.dropFirst("SLURM_ARRAY_TASK_".count))]
      }
    }
    #expect(error.code == .unsupported)
  }

  @Test(
    "A shard is written as one number of another",
    arguments: ["", "1", "0/3", "4/3", "1/0", "a/3", "1/3/5", "1/", "-1/3", "1/100001"])
  func refusesText(text: String) {
    #expect(Shard(text) == nil)
    #expect(Shard("3/8")?.description == "3/8")
  }
}

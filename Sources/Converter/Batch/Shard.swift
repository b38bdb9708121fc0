package import CkptBase
internal import CkptJSON
internal import CkptPlan

/// One of several parts of a batch, each the task of another process.
package struct Shard: Hashable, Sendable {
  /// Which part it is, from 1.
  package let index: Int
  /// How many parts there are.
  package let count: Int

  /// The largest number of parts; Slurm's own default limit of an array is 1001.
  package static let maximumCount = 100_000

  /// Part `index` of `count`, or `nil` if there is no such part.
  package init?(index: Int, of count: Int) {
    guard (1...Self.maximumCount).contains(count), (1...count).contains(index) else { return nil }
    self.index = index
    self.count = count
  }

  /// Reads `3/8`.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]) else { return nil }
    self.init(index: index, of: count)
  }

  /// The part that a task of a Slurm job array stands for; `nil` outside of one.
  ///
  /// Tasks are numbered from any number in any step (`--array=10-40:10`), which are told in
  /// `SLURM_ARRAY_TASK_MIN` and `SLURM_ARRAY_TASK_STEP` (sbatch(1), "output environment variables").
  /// - Throws: `unsupported` when the numbers have no regular distance (`--array=1,5,7`).
  package static func ofSlurmTask(
    _ environment: (String) -> String?
  ) throws(CheckpointError) -> Shard? {
    func number(_ name: String) -> Int? {
      environment("SLURM_ARRAY_TASK_\(name)").flatMap { Int($0) }
    }
    guard let id = number("ID"), let count = number("COUNT") else { return nil }
    let first = number("MIN") ?? 0
    let step = max(number("STEP") ?? 1, 1)
    let (steps, rest) = id.subtractingReportingOverflow(first).partialValue
      .quotientAndRemainder(dividingBy: step)
    let last = number("MAX") ?? id
    let isRegular =
      rest == 0 && last.subtractingReportingOverflow(first).partialValue / step == count - 1
    guard isRegular, let shard = Shard(index: steps &+ 1, of: count) else {
      throw CheckpointError(
        .unsupported,
        "task \(id) of a job array of \(count) tasks whose numbers have no regular distance",
        remedy: .action(.chooseShard))
    }
    return shard
  }
}

extension Shard: CustomStringConvertible {
  /// `3/8`.
  package var description: String { "\(index)/\(count)" }
}

/// Which shard each item belongs to, written down by whichever task comes first.
///
/// Tasks of an array start at different times, and see different inputs when a training run goes on
/// or when converted inputs are deleted. What one has decided therefore holds for all; inputs that
/// are new are dealt out on top of it.
struct ShardAssignments {
  private let directory: String
  private let count: Int

  /// The ledger of batches in `count` shards below `directory`.
  init(in directory: String, count: Int) {
    self.directory = directory
    self.count = count
  }

  /// The names of the items that belong to `shard`; who has which new ones is written down, if
  /// `writing`.
  ///
  /// - Throws: `inputOutput` when the ledger cannot be read or written.
  func names(
    of shard: Shard, among items: [BatchItem], writing: Bool
  ) throws(CheckpointError) -> Set<ExactString> {
    let path = FilePath(directory).appending("shards-of-\(count).jsonl").text
    let lock = writing ? try LockFile(path: path + ".lock") : nil
    do throws(CheckpointError) {
      _ = try lock?.take(.exclusive, waiting: true)
    } catch {
      // Where there are no locks, the tasks agree as long as they see the same inputs.
      guard error.cause?.isUnsupported == true else { throw error }
    }
    var balance = ShardBalance(shardCount: count)
    for object in try Journal.contents(of: path)?.objects ?? [] {
      try CheckpointError.within(path) { () throws(CheckpointError) in
        try read(object, into: &balance)
      }
    }
    let dealt = balance.deal(items.map { ($0.name, $0.readByteCount) })
    if writing, !dealt.isEmpty {
      try Journal(path: path).append(dealt.map { line($0.name, $0.byteCount, $0.shard) })
    }
    return Set(names: items.map(\.name).filter { balance.owners[$0] == shard.index })
  }

  private func line(_ item: String, _ byteCount: Int, _ shard: Int) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("item", item)
    json.member("bytes", byteCount)
    json.member("shard", shard)
    json.endObject()
    return ChecksummedLine.seal(json.bytes)
  }

  private func read(_ object: [UInt8], into balance: inout ShardBalance) throws(CheckpointError) {
    var (item, byteCount, shard) = ("", 0, 0)
    var json = JSONReader(object.span)
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "item": item = try json.string()
      case "bytes": byteCount = try json.integer()
      case "shard": shard = try json.integer()
      default: try json.skipValue()
      }
    }
    guard (1...count).contains(shard), byteCount >= 0 else {
      throw CheckpointError(.malformed, "shard \(shard) of \(count) with \(byteCount) bytes")
    }
    balance.give(item, byteCount: byteCount, to: shard)
  }
}

/// Deals items out to shards, so that all have about the same number of bytes.
package struct ShardBalance: Sendable {
  private struct Load: Hashable, Sendable {
    var byteCount = 0
    var itemCount = 0
  }

  /// The shard of each item, from 1.
  package private(set) var owners: [ExactString: Int] = [:]
  private var loads: [Load]

  /// Shards without items.
  package init(shardCount: Int) { loads = Array(repeating: Load(), count: shardCount) }

  /// Gives an item to a shard.
  package mutating func give(_ item: String, byteCount: Int, to shard: Int) {
    owners[item] = shard
    loads[shard - 1].byteCount += byteCount
    loads[shard - 1].itemCount += 1
  }

  /// Gives each of `items` that nobody has to the shard with the least: the largest first, which
  /// leaves the loads at most a third apart from the best division.
  ///
  /// - Returns: those that were given, with their shards. It depends on nothing but the items.
  package mutating func deal(
    _ items: [(name: String, byteCount: Int)]
  ) -> [(name: String, byteCount: Int, shard: Int)] {
    let open = items.filter { owners[$0.name] == nil }
      .sorted { ($1.byteCount, ExactString($0.name)) < ($0.byteCount, ExactString($1.name)) }
    return open.map { item in
      let lightest = loads.indices.min { left, right in
        (loads[left].byteCount, loads[left].itemCount, left)
          < (loads[right].byteCount, loads[right].itemCount, right)
      }
      let shard = (lightest ?? 0) + 1
      give(item.name, byteCount: item.byteCount, to: shard)
      return (item.name, item.byteCount, shard)
    }
  }
}

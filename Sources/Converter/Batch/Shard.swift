package import CkptBase
internal import CkptJSON
internal import CkptPlan

/// One of several parts of a batch, each run by another process.
package struct Shard: Hashable, Sendable {
  /// The number of the part, from 1.
  package let index: Int
  /// The number of parts.
  package let count: Int

  /// The maximum number of parts; Slurm's own default limit for an array is 1001.
  package static let maximumCount = 100_000

  /// Creates part `index` of `count`, or `nil` if there is no such part.
  package init?(index: Int, of count: Int) {
    guard (1...Self.maximumCount).contains(count), (1...count).contains(index) else { return nil }
    self.index = index
    self.count = count
  }

  /// Parses `3/8`.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]) else { return nil }
    self.init(index: index, of: count)
  }

  /// Returns the part for a task of a Slurm job array; `nil` outside of one.
  ///
  /// Task numbers can start anywhere and have any step (`--array=10-40:10`). `SLURM_ARRAY_TASK_MIN`
  /// and `SLURM_ARRAY_TASK_STEP` give both (sbatch(1), "output environment variables").
  /// - Throws: `unsupported` if the numbers have no constant step (`--array=1,5,7`).
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
        "the \(count) tasks of this job array (task \(id)) have no constant step between their numbers",
        remedy: .action(.chooseShard))
    }
    return shard
  }
}

extension Shard: CustomStringConvertible {
  /// `3/8`.
  package var description: String { "\(index)/\(count)" }
}

/// The assignment of items to shards, recorded by the task that comes first.
///
/// Tasks of an array start at different times. They see different inputs while training continues
/// or converted inputs are deleted. So a recorded assignment holds for all tasks, and only new
/// inputs are assigned later.
struct ShardAssignments {
  private let directory: String
  private let count: Int

  /// Creates the assignments of batches in `count` shards below `directory`.
  init(in directory: String, count: Int) {
    self.directory = directory
    self.count = count
  }

  /// Returns the names of the items of `shard`.
  ///
  /// With `writing`, the assignment of new items is recorded.
  ///
  /// - Throws: `inputOutput` if the file cannot be read or written.
  func names(
    of shard: Shard, among items: [BatchItem], writing: Bool
  ) throws(CheckpointError) -> Set<ExactString> {
    let path = FilePath(directory).appending("shards-of-\(count).jsonl").text
    let lock = writing ? try LockFile(path: path + ".lock") : nil
    do throws(CheckpointError) {
      _ = try lock?.take(.exclusive, waiting: true)
    } catch {
      // Without locks, the tasks agree as long as they see the same inputs.
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
      throw CheckpointError(.malformed, "shard \(shard) of \(count) cannot have \(byteCount) bytes")
    }
    balance.give(item, byteCount: byteCount, to: shard)
  }
}

/// Distributes items among shards with about the same number of bytes.
package struct ShardBalance: Sendable {
  private struct Load: Hashable, Sendable {
    var byteCount = 0
    var itemCount = 0
  }

  /// The shard of each item, from 1.
  package private(set) var owners: [ExactString: Int] = [:]
  private var loads: [Load]

  /// Creates shards without items.
  package init(shardCount: Int) { loads = Array(repeating: Load(), count: shardCount) }

  /// Assigns an item to a shard.
  package mutating func give(_ item: String, byteCount: Int, to shard: Int) {
    owners[item] = shard
    loads[shard - 1].byteCount += byteCount
    loads[shard - 1].itemCount += 1
  }

  /// Assigns each of `items` without a shard to the shard with the fewest bytes, the largest first.
  ///
  /// The result is at most a third worse than the best division.
  ///
  /// - Returns: the assigned items with their shards. It depends only on the items.
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

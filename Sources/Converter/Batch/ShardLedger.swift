internal import Bytes
internal import JSON
internal import Plan

/// Which shard each item belongs to, written down by whichever task comes first.
///
/// Tasks of an array start at different times, and see different inputs when a training run goes on
/// or when converted inputs are deleted. What one has decided therefore holds for all; inputs that
/// are new are dealt out on top of it.
struct ShardLedger {
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
  ) throws(FormatError) -> Set<String> {
    let path = FilePath(directory).appending("shards-of-\(count).jsonl").text
    let lock = writing ? try LockFile(path: path + ".lock") : nil
    do throws(FormatError) {
      _ = try lock?.take(.exclusive, waiting: true)
    } catch {
      // Where there are no locks, the tasks agree as long as they see the same inputs.
      guard error.cause?.isUnsupported == true else { throw error }
    }
    var balance = ShardBalance(shardCount: count)
    for object in try Journal.contents(of: path)?.objects ?? [] {
      try FormatError.within(path) { () throws(FormatError) in try read(object, into: &balance) }
    }
    let dealt = balance.deal(items.map { ($0.name, $0.readByteCount) })
    if writing, !dealt.isEmpty {
      try Journal(path: path).append(dealt.map { line($0.name, $0.byteCount, $0.shard) })
    }
    return Set(items.map(\.name).filter { balance.owners[$0] == shard.index })
  }

  private func line(_ item: String, _ byteCount: Int, _ shard: Int) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.member("item", item)
    json.member("bytes", byteCount)
    json.member("shard", shard)
    json.endObject()
    return SealedLine.seal(json.bytes)
  }

  private func read(_ object: [UInt8], into balance: inout ShardBalance) throws(FormatError) {
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
      throw FormatError(.malformed, "shard \(shard) of \(count) with \(byteCount) bytes")
    }
    balance.give(item, byteCount: byteCount, to: shard)
  }
}

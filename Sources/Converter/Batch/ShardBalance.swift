/// Deals items out to shards, so that all have about the same number of bytes.
package struct ShardBalance: Sendable {
  private struct Load: Hashable, Sendable {
    var byteCount = 0
    var itemCount = 0
  }

  /// The shard of each item, from 1.
  package private(set) var owners: [String: Int] = [:]
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
      .sorted { ($1.byteCount, $0.name) < ($0.byteCount, $1.name) }
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

public import Bytes
public import Graph
internal import Plan

extension SafetensorsEncoder {
  /// The plans of the files for `checkpoint`, none with more than `maximumByteCount` bytes of
  /// tensors unless one tensor alone has more.
  ///
  /// The layout is `plain` and there is no skeleton: what is not tensors is a loss. The files are those that `save_pretrained`
  /// writes for the tensors in their order, with the metadata `format` for its readers.
  ///
  /// - Throws: `lossy` for what has no place in the files unless loss is allowed; `limitExceeded` for
  ///   a header beyond what readers accept.
  public static func encodeShards(
    _ checkpoint: Checkpoint, options: Options, maximumByteCount: Int
  ) throws(FormatError) -> SafetensorsShards {
    var options = options
    options.layout = .plain
    options.includesSkeleton = false
    options.metadata = options.metadata ?? [("format", "pt")]
    let encoder = try SafetensorsEncoder(checkpoint, options: options)
    return try encoder.encodeShards(maximumByteCount: maximumByteCount)
  }

  private func encodeShards(
    maximumByteCount: Int
  ) throws(FormatError) -> SafetensorsShards {
    let order = entriesInOrder()
    let split = ShardSplit(
      byteCounts: order.map { entries[$0].byteCount }, maximum: maximumByteCount)
    // A checkpoint without tensors is a file without tensors.
    let shards = split.shards.isEmpty ? [[]] : split.shards
    var files: [SafetensorsShards.File] = []
    var homes: [(tensor: String, file: String)] = []
    var unread = UnreadRegions(graph.storages.compactMap(\.region) + unusedRegions)
    let keepers = Dictionary(grouping: aliases) { ExactString($0.kept) }
    for (number, shard) in shards.enumerated() {
      let name = SafetensorsShards.fileName(number + 1, of: shards.count)
      let held = shard.map { entries[order[$0]] }
      let names = held.flatMap { keepers[ExactString($0.name)] ?? [] }
      var plan = try plan(of: held, aliases: names)
      unread.remove(of: plan)
      if number == shards.count - 1 { for region in unread.all { plan.inspect(region) } }
      files.append(.init(name: name, plan: plan, tensorCount: held.count))
      homes += (held.map(\.name) + names.map(\.name)).map { ($0, name) }
    }
    let totalByteCount = entries.reduce(0) { $0 + $1.byteCount }
    let index = ShardIndexWriter.write(
      files: homes, parameterCount: entries.reduce(0) { $0 + $1.shape.reduce(1, *) },
      totalByteCount: totalByteCount)
    return SafetensorsShards(
      files: files, index: files.count > 1 ? index : nil, totalByteCount: totalByteCount,
      aliasCount: aliases.count, warnings: warnings)
  }

  /// The numbers of the entries in the order of the checkpoint's tensors, in which a tied tensor has
  /// the place of the first of its names.
  private func entriesInOrder() -> [Int] {
    let numbers = Dictionary(
      uniqueKeysWithValues: entries.enumerated().map { (ExactString($0.element.name), $0.offset) })
    let kept = Dictionary(
      uniqueKeysWithValues: aliases.map { (ExactString($0.name), ExactString($0.kept)) })
    var seen: Set<Int> = []
    return placed.compactMap { name, _ in
      let name = ExactString(name)
      guard let number = numbers[kept[name] ?? name], seen.insert(number).inserted else {
        return nil
      }
      return number
    }
  }
}

/// The regions of a checkpoint that no plan takes bytes from yet; their checksums must hold too.
private struct UnreadRegions {
  private let regions: [FileRegion]
  private var read: Set<FileRegion.Identity> = []

  init(_ regions: [FileRegion]) { self.regions = regions }

  mutating func remove(of plan: FilePlan) {
    for region in plan.segments.lazy.flatMap(\.regions) { read.insert(.init(region)) }
  }

  var all: [FileRegion] { regions.filter { !read.contains(.init($0)) } }
}

package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptJSON
package import CkptPlan
internal import CkptSkeleton

/// A checkpoint as one safetensors file, or as shards with an index, like `save_pretrained` of
/// transformers.
package struct SafetensorsShards: Sendable {
  /// One file.
  package struct File: Sendable {
    /// Its name.
    package var name: String
    /// Its bytes.
    package var plan: FilePlan
    /// The number of entries with tensors.
    package var tensorCount: Int
  }

  /// The usual limit of one file, in bytes of tensors (`huggingface_hub`, `MAX_SHARD_SIZE`).
  package static let usualByteCount = 5_000_000_000

  /// The files, in numerical order.
  package var files: [File]
  /// The name of the index and its bytes; `nil` for a single file.
  package var index: (name: String, bytes: [UInt8])?
  /// The size of all tensors in bytes.
  package var totalByteCount: Int
  /// The number of names that share the bytes of another one.
  package var aliasCount: Int
  /// Warnings for the user.
  package var warnings: [String]

  /// Returns the name of file `number` of `count`, counted from one.
  ///
  /// A single file has no number in its name.
  fileprivate static func fileName(_ stem: String, _ number: Int, of count: Int) -> String {
    guard count > 1 else { return "\(stem).safetensors" }
    return "\(stem)-\(digits(number))-of-\(digits(count)).safetensors"
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}

extension SafetensorsEncoder {
  /// Returns the plans of the files for `checkpoint`, with an index if there are several.
  ///
  /// The layout is `plain`, without a skeleton, so everything that is not a tensor is a loss. The
  /// files are those that `save_pretrained` writes for the tensors in their order, with the
  /// metadata `format` for its readers.
  ///
  /// - Parameters:
  ///   - checkpoint: the tensors.
  ///   - options: the choices of the caller, except for the layout and the skeleton.
  ///   - division: the distribution of tensors over files.
  ///   - stem: the beginning of the file names.
  /// - Returns: the files and their index.
  /// - Throws: `lossy` for contents that the files cannot hold, unless loss is allowed;
  ///   `limitExceeded` for a header beyond what readers accept.
  package static func encodeShards(
    _ checkpoint: Checkpoint, options: SafetensorsOptions, _ division: ShardDivision,
    stem: String = "model"
  ) throws(CheckpointError) -> SafetensorsShards {
    var options = options
    options.layout = .plain
    options.includesSkeleton = false
    options.metadata = options.metadata ?? [("format", "pt")]
    let encoder = try SafetensorsEncoder(checkpoint, options: options)
    return try encoder.encodeShards(division, stem: stem)
  }

  private func encodeShards(
    _ division: ShardDivision, stem: String
  ) throws(CheckpointError) -> SafetensorsShards {
    let order = entriesInOrder()
    let split = split(order, division)
    // A checkpoint without tensors becomes one file without tensors.
    let shards = split.isEmpty ? [[]] : split
    var files: [SafetensorsShards.File] = []
    var homes: [(tensor: String, file: String)] = []
    var unread = UnreadRegions(graph.storages.compactMap(\.region) + unusedRegions)
    let keepers = Dictionary(grouping: aliases) { ExactString($0.kept) }
    for (number, shard) in shards.enumerated() {
      let name = SafetensorsShards.fileName(stem, number + 1, of: shards.count)
      let held = shard.map { entries[order[$0]] }
      let names = held.flatMap { keepers[ExactString($0.name)] ?? [] }
      var plan = try plan(of: held, aliases: names)
      unread.remove(of: plan)
      if number == shards.count - 1 { for region in unread.all { plan.inspect(region) } }
      files.append(.init(name: name, plan: plan, tensorCount: held.count))
      homes += (held.map(\.name) + names.map(\.name)).map { ($0, name) }
    }
    let totalByteCount = entries.reduce(0) { $0 + $1.byteCount }
    let index = ShardIndex.write(
      files: homes, parameterCount: entries.reduce(0) { $0 + $1.shape.reduce(1, *) },
      totalByteCount: totalByteCount)
    return SafetensorsShards(
      files: files, index: files.count > 1 ? ("\(stem).safetensors.index.json", index) : nil,
      totalByteCount: totalByteCount,
      aliasCount: aliases.count, warnings: warnings)
  }

  /// Returns the positions in `order` of the entries in each file.
  private func split(_ order: [Int], _ division: ShardDivision) -> [[Int]] {
    switch division {
    case .limit(let maximum):
      return ShardSplit(
        byteCounts: order.map { entries[$0].byteCount }, maximum: maximum
      ).shards
    case .files(let numbers):
      let files = Dictionary(grouping: order.indices) { place in
        numbers[ExactString(entries[order[place]].name)] ?? 0
      }
      return files.sorted { $0.key < $1.key }.map(\.value)
    }
  }

  /// Returns the numbers of the entries in the order of the checkpoint's tensors.
  ///
  /// A tied tensor has the position of its first name.
  private func entriesInOrder() -> [Int] {
    let numbers = Dictionary(
      uniqueKeysWithValues: entries.enumerated().map { (ExactString($0.element.name), $0.offset) })
    let kept = Dictionary(
      uniqueKeysWithValues: aliases.map { (ExactString($0.name), ExactString($0.kept)) })
    var seen: Set<Int> = []
    return placed.compactMap { tensor in
      let name = ExactString(tensor.name)
      guard let number = numbers[kept[name] ?? name], seen.insert(number).inserted else {
        return nil
      }
      return number
    }
  }
}

/// A distribution of tensors over files.
package enum ShardDivision: Sendable {
  /// Each file has at most this many bytes of tensors, unless a single tensor has more.
  case limit(Int)
  /// Each tensor is in the file with this number; tensors without a number are in file 0.
  case files([ExactString: Int])
}

/// The regions of a checkpoint that no plan has read yet.
///
/// Their checksums must match too.
private struct UnreadRegions {
  private let regions: [FileRegion]
  private var read: Set<FileRegion.Identity> = []

  init(_ regions: [FileRegion]) { self.regions = regions }

  mutating func remove(of plan: FilePlan) {
    for region in plan.segments.lazy.flatMap(\.regions) { read.insert(.init(region)) }
  }

  var all: [FileRegion] { regions.filter { !read.contains(.init($0)) } }
}

/// Distributes tensors among files.
///
/// It works like `split_state_dict_into_shards_factory` of
/// `huggingface_hub/serialization/_base.py`: files are filled in the order of the tensors, and a
/// tensor that is too large gets a file of its own.
struct ShardSplit {
  /// The numbers of the tensors in each file.
  private(set) var shards: [[Int]] = []

  /// Distributes tensors of these sizes in bytes among files of up to `maximum` bytes of tensors.
  ///
  /// PyTorch gives all tensors without elements one storage, and a storage is not split. So they
  /// all go to the file of the first one.
  init(byteCounts: [Int], maximum: Int) {
    var current: [Int] = []
    var size = 0
    var empty: [Int] = []
    for (number, byteCount) in byteCounts.enumerated() {
      if byteCount == 0 {
        empty.append(number)
        guard empty.count == 1 else { continue }
      }
      if byteCount > maximum {
        shards.append([number])
        continue
      }
      // Both are at most the maximum, so the sum does not overflow before the comparison.
      if byteCount > maximum - size {
        shards.append(current)
        (current, size) = ([], 0)
      }
      current.append(number)
      size += byteCount
    }
    if !current.isEmpty { shards.append(current) }
    guard let first = empty.first,
      let home = shards.firstIndex(where: { $0.contains(first) })
    else { return }
    shards[home] += empty.dropFirst()
  }
}

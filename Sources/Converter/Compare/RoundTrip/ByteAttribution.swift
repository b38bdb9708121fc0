internal import CkptBase
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan

/// The parts of a file that are compared separately, to explain differences.
struct ByteAttribution {
  private enum Kind {
    /// Container bytes: headers, pickle, checksums.
    case container
    /// Bytes of a storage that belong to a tensor.
    case reached
    /// Unused bytes of a storage, with their offsets in it.
    case unreached(Range<Int>)
  }

  /// The maximum number of storages to name; the others are counted.
  private static let shownReasons = 20
  /// The maximum number of parts of a storage.
  private static let mostStretches = 1 << 16

  /// The parts, from the start of the file to its end.
  private(set) var regions: [FileRegion] = []
  private var kinds: [Kind] = []

  /// Divides the file of a checkpoint into parts.
  init(of checkpoint: Checkpoint, in file: any ByteSource) {
    let storages = Self.storages(of: checkpoint).filter {
      $0.region.encoding == .stored && $0.region.source === file
    }.sorted { $0.region.range.lowerBound < $1.region.range.lowerBound }
    var end = 0
    for (region, missed) in storages where region.range.lowerBound >= end {
      add(end..<region.range.lowerBound, .container, "container", file)
      var place = 0
      for stretch in missed.prefix(Self.mostStretches) {
        add(region, place..<stretch.lowerBound, .reached)
        add(region, stretch, .unreached(stretch))
        place = stretch.upperBound
      }
      add(region, place..<region.byteCount, .reached)
      end = region.range.upperBound
    }
    add(end..<file.byteCount, .container, "container", file)
  }

  /// Returns the number of unused bytes that are not zero and so are not restored.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  static func lostByteCount(
    of checkpoint: Checkpoint, budget: CopyBudget
  ) throws(CheckpointError) -> Int {
    var plan = FilePlan()
    var expected = FilePlan()
    for (region, missed) in storages(of: checkpoint) {
      for stretch in missed {
        plan.append(.copy(region.unchecked, range: stretch))
        expected.append(.zeros(byteCount: stretch.count))
      }
    }
    let zeros = try TemporaryOutput.holding(expected, budget: budget)
    return try plan.differences(from: zeros, budget: budget).count
  }

  /// Returns the regions of storages, with the unused parts of each.
  private static func storages(
    of checkpoint: Checkpoint
  ) -> [(region: FileRegion, missed: [Range<Int>])] {
    let graph = checkpoint.graph
    var coverage = StorageCoverage()
    for tensor in graph.tensors { coverage.add(tensor) }
    var storages: [(region: FileRegion, missed: [Range<Int>])] = []
    for (index, storage) in graph.storages.enumerated() {
      guard let region = storage.region else { continue }
      storages.append(
        (
          region,
          coverage.missedRanges(of: StorageID(index: index), byteCount: storage.byteCount)
        ))
    }
    return storages + checkpoint.unusedRegions.map { ($0, [0..<$0.byteCount]) }
  }

  private mutating func add(
    _ range: Range<Int>, _ kind: Kind, _ name: String, _ file: any ByteSource
  ) {
    guard !range.isEmpty else { return }
    regions.append(FileRegion(source: file, range: range, name: name))
    kinds.append(kind)
  }

  private mutating func add(_ region: FileRegion, _ part: Range<Int>, _ kind: Kind) {
    let start = region.range.lowerBound
    add(start + part.lowerBound..<start + part.upperBound, kind, region.name, region.source)
  }

  /// Describes the bytes that differ.
  func explain(
    _ found: [ComparingOutput<ByteComparison>.Difference], in finding: inout RoundTrip.Finding
  ) {
    var (containerByteCount, dataByteCount) = (0, 0)
    var losses: [Loss] = []
    for difference in found {
      switch kinds[difference.run] {
      case .container: containerByteCount += difference.found.count
      case .reached: dataByteCount += difference.found.count
      case .unreached(let stretch):
        // The parts of a storage are adjacent.
        let name = regions[difference.run].name
        if losses.last?.name != name { losses.append(Loss(name: name)) }
        losses[losses.count - 1].add(stretch, difference.found.count)
      }
    }
    finding.lostByteCount = losses.reduce(0) { $0 + $1.byteCount }
    finding.differingByteCount = containerByteCount + dataByteCount + finding.lostByteCount
    finding.reasons = losses.prefix(Self.shownReasons).map(\.text)
    if losses.count > Self.shownReasons {
      finding.reasons.append("\(losses.count - Self.shownReasons) more storages have unused bytes")
    }
    if dataByteCount > 0 {
      finding.reasons.append("\(dataByteCount) tensor bytes differ")
    }
    if containerByteCount > 0 {
      finding.reasons.append(
        losses.isEmpty
          ? "\(containerByteCount) container bytes (headers, pickle) differ"
          : "the checksums of these storages differ (\(containerByteCount) bytes)")
    }
  }
}

/// Bytes of a storage that are not restored.
private struct Loss {
  /// The maximum number of ranges to show.
  private static let shown = 4

  /// The name of the storage.
  let name: String
  /// The number of these bytes.
  private(set) var byteCount = 0
  private var stretches: [Range<Int>] = []

  init(name: String) { self.name = name }

  mutating func add(_ stretch: Range<Int>, _ byteCount: Int) {
    stretches.append(stretch)
    self.byteCount += byteCount
  }

  /// The description of the bytes.
  var text: String {
    let places = stretches.prefix(Self.shown).map { "\($0.lowerBound)..<\($0.upperBound)" }
    let more = stretches.count - places.count
    return "'\(name)' has unused bytes \(places.joined(separator: ", "))"
      + (more > 0 ? " and \(more) more ranges" : "") + "; they become zeros"
  }
}

internal import CkptBase
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan

/// The stretches of a file that are compared each by itself, so that differences can be explained.
struct ByteAttribution {
  private enum Kind {
    /// The container of the data: headers, pickle, checksums.
    case container
    /// Bytes of a storage that tensors reach.
    case reached
    /// Bytes of a storage that no tensor reaches, by their place in it.
    case unreached(Range<Int>)
  }

  /// The most storages that are named; the others are counted.
  private static let shownReasons = 20
  /// The most stretches that a storage is cut into.
  private static let mostStretches = 1 << 16

  /// The stretches, one after the other from the file's start to its end.
  private(set) var regions: [FileRegion] = []
  private var kinds: [Kind] = []

  /// The stretches of the file that a checkpoint was read from.
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

  /// The number of bytes that no tensor reaches and that are not zero, and so do not return.
  ///
  /// - Throws: `inputOutput` when the file cannot be read.
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

  /// The regions of storages, with the stretches of them that no tensor reaches.
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

  /// Says of what kind the bytes that differ are.
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
        // The stretches of a storage follow each other.
        let name = regions[difference.run].name
        if losses.last?.name != name { losses.append(Loss(name: name)) }
        losses[losses.count - 1].add(stretch, difference.found.count)
      }
    }
    finding.lostByteCount = losses.reduce(0) { $0 + $1.byteCount }
    finding.differingByteCount = containerByteCount + dataByteCount + finding.lostByteCount
    finding.reasons = losses.prefix(Self.shownReasons).map(\.text)
    if losses.count > Self.shownReasons {
      finding.reasons.append("so do bytes of \(losses.count - Self.shownReasons) more storages")
    }
    if dataByteCount > 0 {
      finding.reasons.append("\(dataByteCount) bytes of tensors come back different")
    }
    if containerByteCount > 0 {
      finding.reasons.append(
        losses.isEmpty
          ? "\(containerByteCount) bytes of what packs the tensors are spelled in another way"
          : "the checksums of these storages differ, in \(containerByteCount) bytes")
    }
  }
}

/// Bytes of a storage that do not return.
private struct Loss {
  /// The most stretches that are shown.
  private static let shown = 4

  /// The name of the storage.
  let name: String
  /// The number of bytes that come back as others.
  private(set) var byteCount = 0
  private var stretches: [Range<Int>] = []

  init(name: String) { self.name = name }

  mutating func add(_ stretch: Range<Int>, _ byteCount: Int) {
    stretches.append(stretch)
    self.byteCount += byteCount
  }

  /// The places of the bytes and what they come back as, in words.
  var text: String {
    let places = stretches.prefix(Self.shown).map { "\($0.lowerBound)..<\($0.upperBound)" }
    let more = stretches.count - places.count
    return "bytes \(places.joined(separator: ", "))\(more > 0 ? " and \(more) more stretches" : "")"
      + " of '\(name)' belong to no tensor and come back as zeros"
  }
}

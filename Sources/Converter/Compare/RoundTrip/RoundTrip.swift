internal import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan
public import CkptSkeleton

/// Converts a file to the other format and back, and compares the result with the original.
///
/// Tensor bytes are not written. The header, the skeleton and everything else that readers need are
/// really encoded and read back. The plan of the restored file takes its tensors from the original.
/// The engine runs that plan into an output that compares the bytes with the original.
public struct RoundTrip: Sendable {
  /// The result for a file.
  @nonexhaustive
  public enum Verdict: String, Sendable {
    /// The restored file is identical, byte for byte.
    case identical
    /// The restored file has the same object, but other bytes.
    case sameObject = "same_object"
    /// The restored file has another object.
    case different
  }

  /// The findings about a file.
  public struct Finding: Sendable {
    /// The file.
    public var path: String
    /// The format of the intermediate file.
    public var format: CheckpointFormat
    /// The naming of tensors in the safetensors file.
    public var layout: Layout
    /// The size of the file in bytes.
    public var byteCount: Int
    /// The size of the restored file in bytes.
    public var returnedByteCount: Int
    /// The result for the file.
    public var verdict = Verdict.identical
    /// The number of different bytes, if both files have the same size.
    public var differingByteCount = 0
    /// The number of bytes that are not restored: unused bytes of storages.
    public var lostByteCount = 0
    /// The bytes that differ, with the reason, in words.
    public var reasons: [String] = []
    /// The first differences between the objects.
    public var differences: [Difference] = []
    /// The number of differences between the objects.
    public var differenceCount = 0
    /// Warnings for the user about the file.
    public var warnings: [String] = []

    /// Whether something was lost.
    public var isLossy: Bool { verdict == .different || lostByteCount > 0 }
  }

  private let layout: Layout?
  private let reading: ReadingOptions
  private let budget: CopyBudget

  /// Creates round trips.
  ///
  /// `.pt` files use the naming `layout`, by default that of the file's location.
  public init(
    layout: Layout? = nil, _ reading: ReadingOptions = ReadingOptions(),
    budget: CopyBudget = CopyBudget()
  ) {
    self.layout = layout
    self.reading = reading
    self.budget = budget
  }

  /// Returns the files that `path` stands for: itself, the shards of an index, or the files of a
  /// directory that conversions convert.
  ///
  /// - Throws: `inputOutput` if the path does not exist; `unsupported` for a directory without
  ///   checkpoints.
  public static func files(of path: String) throws(CheckpointError) -> [String] {
    let place = FilePath(path)
    guard let status = try place.status() else { throw .missing(path) }
    guard status.isDirectory else { return try ModelFolder.shards(of: path) }
    var files = try OLMoDirectory.files(of: place).filter {
      CheckpointMembers.name(ofFile: FilePath($0).name) != OLMoDirectory.trainer
    }
    if files.isEmpty, let weights = try ModelFolder.weights(in: path) {
      files = try ModelFolder.shards(of: weights)
    }
    guard !files.isEmpty else { throw OLMoDirectory.notACheckpoint(place) }
    return files
  }

  /// Converts a file there and back.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the result.
  /// - Throws: ``CheckpointError`` with the file in its path: the errors of reading and converting
  ///   it.
  public func run(
    _ path: String, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> Finding {
    let file = try FileSource(path: path)
    return try CheckpointError.within(path) { () throws(CheckpointError) in
      try run(file, try CheckpointFile.read(file, reading), progress)
    }
  }

  private func run(
    _ file: FileSource, _ left: Checkpoint, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> Finding {
    let route = try RoundTripPlan(of: left, at: file.path, layout: layout)
    let plan = try returningPlan(left, route)
    let runs = ByteAttribution(of: left, in: file)
    let output = try ComparingOutput(expecting: runs.regions)
    try CopyEngine(budget, progress: progress).run(plan, into: output)
    var finding = Finding(
      path: file.path, format: route.format, layout: route.layout, byteCount: file.byteCount,
      returnedByteCount: plan.byteCount, warnings: left.warnings)
    guard plan.byteCount != file.byteCount || !output.differences.isEmpty else { return finding }
    if plan.byteCount == file.byteCount {
      runs.explain(output.differences, in: &finding)
    } else {
      finding.reasons = [
        "the file has \(file.byteCount) bytes, but the restored one has "
          + "\(plan.byteCount)"
      ]
      if route.addsSkeleton { finding.reasons.append("the restored file has a skeleton") }
      finding.lostByteCount = try ByteAttribution.lostByteCount(of: left, budget: budget)
    }
    let returned = try CheckpointFile.read(TemporaryOutput.holding(plan, budget: budget))
    let comparison = try VerifyComparison(left, returned, budget: budget) { _, _ in }
    finding.verdict = comparison.differences.isEmpty ? .sameObject : .different
    finding.differences = comparison.differences.first
    finding.differenceCount = comparison.differences.count
    return finding
  }

  /// Returns the plan of the restored file, with the original as its source.
  private func returningPlan(
    _ left: Checkpoint, _ route: RoundTripPlan
  ) throws(CheckpointError) -> FilePlan {
    let there = try route.there(left)
    let outline = try VirtualFile(there, budget: budget)
    var plan: FilePlan
    if let found = try outline.takingFromOriginals(route.back(CheckpointFile.read(outline.file))) {
      plan = found
    } else {
      let whole = try VirtualFile(there, omittingData: false, budget: budget)
      plan = try route.back(CheckpointFile.read(whole.file))
    }
    for region in left.dataRegions { plan.inspect(region) }
    return plan
  }
}

/// The two conversions of a round trip.
struct RoundTripPlan {
  /// The format of the intermediate file.
  let format: CheckpointFormat
  /// The layout of the safetensors file, the intermediate one or the original.
  let layout: Layout
  private let writing: EncodingOptions
  /// Whether the file that left is a safetensors file without metadata.
  private let isBare: Bool

  /// Chooses the conversions of a checkpoint from the file at `path`.
  ///
  /// `layout` is for `.pt` files; `nil` chooses it by location.
  ///
  /// - Throws: `inputOutput` if the location cannot be read.
  init(of checkpoint: Checkpoint, at path: String, layout: Layout?) throws(CheckpointError) {
    var writing = EncodingOptions(path: path)
    isBare = (checkpoint.container as? SafetensorsDescription).map { !$0.hasMetadata } ?? false
    if let file = checkpoint.container as? SafetensorsDescription {
      format = .torch
      self.layout = file.layout
      // Metadata returns by itself; a file without any gets a skeleton, as the command writes it.
      writing.safetensors.includesSkeleton = file.hasSkeleton || !file.hasMetadata
      writing.safetensors.tied = checkpoint.copies.isEmpty ? nil : .copy
    } else {
      format = .safetensors
      self.layout = try OLMoDirectory.layout(layout, in: FilePath(path).directory)
    }
    writing.safetensors.layout = self.layout
    self.writing = writing
  }

  /// Whether the file that returns has a skeleton that the one that left had not.
  var addsSkeleton: Bool { format == .torch && isBare }

  /// Returns the plan of the intermediate file.
  func there(_ checkpoint: Checkpoint) throws(CheckpointError) -> FilePlan {
    try CheckpointFile.encode(checkpoint, as: format, writing).plan
  }

  /// Returns the plan of the restored file.
  func back(_ checkpoint: Checkpoint) throws(CheckpointError) -> FilePlan {
    try CheckpointFile.encode(checkpoint, as: format.source, writing).plan
  }
}

/// The report of `roundtrip`.
public struct RoundTripReport: Sendable {
  /// The findings about each file.
  public var findings: [RoundTrip.Finding] = []
  /// The files that failed, with their errors.
  public var failures: [(input: String, error: CheckpointError)] = []

  /// Creates an empty report.
  public init() {}

  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public func json(_ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.key("files")
    json.beginArray()
    for finding in findings {
      json.beginObject()
      json.member("path", finding.path)
      json.member("format", finding.format.rawValue)
      json.member("layout", finding.layout.rawValue)
      json.member("verdict", finding.verdict.rawValue)
      json.member("bytes", finding.byteCount)
      json.member("returned_bytes", finding.returnedByteCount)
      json.member("differing_bytes", finding.differingByteCount)
      json.member("lost_bytes", finding.lostByteCount)
      json.member("reasons", finding.reasons)
      json.member("difference_count", finding.differenceCount)
      VerifyReport.write(finding.differences, to: &json)
      json.member("warnings", finding.warnings)
      json.endObject()
    }
    json.endArray()
    json.write(failures, wording)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

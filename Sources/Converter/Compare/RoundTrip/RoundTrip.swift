internal import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan
public import CkptSkeleton

/// Takes a file to the other format and back, and compares what returns with what left.
///
/// No tensor's bytes are written for it: header, skeleton and everything else that readers look at
/// are really encoded and read back, and the plan of the file that returns takes tensors from where
/// the file that left has them. That plan is run into an output that expects the bytes of the file.
public struct RoundTrip: Sendable {
  /// The result for a file.
  @nonexhaustive
  public enum Verdict: String, Sendable {
    /// The file returns byte for byte.
    case identical
    /// The same object returns in a file of other bytes.
    case sameObject = "same_object"
    /// Another object returns.
    case different
  }

  /// The findings about a file.
  public struct Finding: Sendable {
    /// The file.
    public var path: String
    /// The format it was taken to.
    public var format: CheckpointFormat
    /// The way in which tensors are named in the safetensors file.
    public var layout: Layout
    /// The file's size in bytes.
    public var byteCount: Int
    /// The size of the file that returns.
    public var returnedByteCount: Int
    /// The result for the file.
    public var verdict = Verdict.identical
    /// The number of bytes that differ, where both files have the same size.
    public var differingByteCount = 0
    /// The number of bytes of storages that do not return: those that belong to no tensor.
    public var lostByteCount = 0
    /// The bytes that differ and why, in words.
    public var reasons: [String] = []
    /// The first differences between the objects.
    public var differences: [Difference] = []
    /// The number of differences between the objects.
    public var differenceCount = 0
    /// The things that the user should know of the file.
    public var warnings: [String] = []

    /// Whether something does not return.
    public var isLossy: Bool { verdict == .different || lostByteCount > 0 }
  }

  private let layout: Layout?
  private let budget: CopyBudget

  /// Round trips of `.pt` files through safetensors files with names of `layout`, by default what
  /// suits the place of the file.
  public init(layout: Layout? = nil, budget: CopyBudget = CopyBudget()) {
    self.layout = layout
    self.budget = budget
  }

  /// The files that `path` stands for: itself, the shards of an index, or those files of a directory
  /// that a conversion converts.
  ///
  /// - Throws: `inputOutput` when there is nothing; `unsupported` for a directory without any.
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

  /// Takes a file there and back.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: what became of it.
  /// - Throws: ``CheckpointError`` with the file in its path: what reading and converting it throws.
  public func run(
    _ path: String, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> Finding {
    let file = try FileSource(path: path)
    return try CheckpointError.within(path) { () throws(CheckpointError) in
      try run(file, try CheckpointFile.read(file), progress)
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
        "the file is spelled in another way: it has \(file.byteCount) bytes and comes back with "
          + "\(plan.byteCount)"
      ]
      finding.lostByteCount = try ByteAttribution.lostByteCount(of: left, budget: budget)
    }
    let returned = try CheckpointFile.read(TemporaryOutput.holding(plan, budget: budget))
    let comparison = try VerifyComparison(left, returned, budget: budget) { _, _ in }
    finding.verdict = comparison.differences.isEmpty ? .sameObject : .different
    finding.differences = comparison.differences.first
    finding.differenceCount = comparison.differences.count
    return finding
  }

  /// The plan of the file that returns, in terms of the file that left.
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

/// The two conversions that take a file to the other format and back.
struct RoundTripPlan {
  /// The format between.
  let format: CheckpointFormat
  /// The layout of the safetensors file, the one between or the one that left.
  let layout: Layout
  private let writing: EncodingOptions

  /// The conversions of a checkpoint from the file at `path`; `layout` is for `.pt` files, `nil` for
  /// what suits the place.
  ///
  /// - Throws: `inputOutput` when the place cannot be told.
  init(of checkpoint: Checkpoint, at path: String, layout: Layout?) throws(CheckpointError) {
    var writing = EncodingOptions(path: path)
    if let file = checkpoint.container as? SafetensorsDescription {
      format = .torch
      self.layout = file.layout
      writing.safetensors.includesSkeleton = file.hasSkeleton
      writing.safetensors.tied = checkpoint.copies.isEmpty ? nil : .copy
    } else {
      format = .safetensors
      self.layout = try OLMoDirectory.layout(layout, in: FilePath(path).directory)
    }
    writing.safetensors.layout = self.layout
    self.writing = writing
  }

  /// The plan of the file in the other format.
  func there(_ checkpoint: Checkpoint) throws(CheckpointError) -> FilePlan {
    try CheckpointFile.encode(checkpoint, as: format, writing).plan
  }

  /// The plan of the file that returns.
  func back(_ checkpoint: Checkpoint) throws(CheckpointError) -> FilePlan {
    try CheckpointFile.encode(checkpoint, as: format.source, writing).plan
  }
}

/// The result of `roundtrip`, for scripts.
public struct RoundTripReport: Sendable {
  /// The findings about each file.
  public var findings: [RoundTrip.Finding] = []
  /// The files that failed and why.
  public var failures: [(input: String, error: CheckpointError)] = []

  /// A report of nothing.
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

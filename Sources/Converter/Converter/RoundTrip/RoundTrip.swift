internal import Bytes
internal import Comparison
internal import Graph
internal import Plan
internal import Safetensors
internal import Torch
public import Formats

/// Takes a file to the other format and back, and compares what returns with what left.
///
/// No tensor's bytes are written for it: header, skeleton and everything else that readers look at
/// are really encoded and read back, and the plan of the file that returns takes tensors from where
/// the file that left has them. That plan is run into an output that expects the bytes of the file.
public struct RoundTrip: Sendable {
  /// What became of a file.
  public enum Verdict: String, Sendable {
    /// The file returns byte for byte.
    case identical
    /// The same object returns in a file of other bytes.
    case sameObject = "same_object"
    /// Another object returns.
    case different
  }

  /// What was found out about a file.
  public struct Finding: Sendable {
    /// The file.
    public var path: String
    /// The format it was taken to.
    public var format: CheckpointFormat
    /// How tensors are named in the safetensors file.
    public var layout: Layout
    /// The file's size in bytes.
    public var byteCount: Int
    /// The size of the file that returns.
    public var returnedByteCount: Int
    /// What became of it.
    public var verdict = Verdict.identical
    /// The number of bytes that differ, where both files have the same size.
    public var differingByteCount = 0
    /// The number of bytes of storages that do not return: those that belong to no tensor.
    public var lostByteCount = 0
    /// Which bytes differ and why.
    public var reasons: [String] = []
    /// The first differences between the objects.
    public var differences: [Difference] = []
    /// How many differences there are between the objects.
    public var differenceCount = 0
    /// What the user should know of the file.
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
  public static func files(of path: String) throws(FormatError) -> [String] {
    let place = FilePath(path)
    guard let status = try place.status() else { throw FormatError(SystemError.missing(path)) }
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
  /// - Throws: ``FormatError`` with the file in its path: what reading and converting it throws.
  public func run(
    _ path: String, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> Finding {
    let file = try SourceFile.open(path)
    return try FormatError.within(path) { () throws(FormatError) in
      try run(file, try CheckpointFile.read(file), progress)
    }
  }

  private func run(
    _ file: SourceFile, _ left: Checkpoint, _ progress: @escaping CopyEngine.Progress
  ) throws(FormatError) -> Finding {
    let journey = try Journey(of: left, at: file.path, layout: layout)
    let plan = try returningPlan(left, journey)
    let runs = ReturnedRuns(of: left, in: file)
    let output = try ComparingOutput(expecting: runs.regions)
    try CopyEngine(budget, progress: progress).run(plan, into: output)
    var finding = Finding(
      path: file.path, format: journey.format, layout: journey.layout, byteCount: file.byteCount,
      returnedByteCount: plan.byteCount, warnings: left.warnings)
    guard plan.byteCount != file.byteCount || !output.differences.isEmpty else { return finding }
    if plan.byteCount == file.byteCount {
      runs.explain(output.differences, in: &finding)
    } else {
      finding.reasons = [
        "the file is spelled in another way: it has \(file.byteCount) bytes and comes back with "
          + "\(plan.byteCount)"
      ]
      finding.lostByteCount = try ReturnedRuns.lostByteCount(of: left, budget: budget)
    }
    let returned = try CheckpointFile.read(TemporaryOutput.holding(plan, budget: budget))
    let comparison = try CheckpointComparison(left, returned, budget: budget) { _, _ in }
    finding.verdict = comparison.differences.isEmpty ? .sameObject : .different
    finding.differences = comparison.differences.first
    finding.differenceCount = comparison.differences.count
    return finding
  }

  /// The plan of the file that returns, in terms of the file that left.
  private func returningPlan(
    _ left: Checkpoint, _ journey: Journey
  ) throws(FormatError) -> FilePlan {
    let there = try journey.there(left)
    var planned = try PlannedFile(there, budget: budget)
    var plan = try planned.readingThrough(journey.back(CheckpointFile.read(planned.file)))
    if plan == nil {
      planned = try PlannedFile(there, leavingOut: false, budget: budget)
      plan = try journey.back(CheckpointFile.read(planned.file))
    }
    guard var plan else { throw FormatError(.malformed, "the file cannot be planned") }
    for region in left.graph.storages.compactMap(\.region) + left.unusedRegions {
      plan.inspect(region)
    }
    return plan
  }
}

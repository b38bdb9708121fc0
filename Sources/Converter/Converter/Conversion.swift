internal import Bytes
public import Formats
internal import Plan

/// Converts checkpoints: reads a graph, encodes it as a plan, has the plan carried out.
public struct Conversion: Sendable {
  /// A file that has been written.
  public struct Output: Hashable, Sendable {
    /// The file that was read.
    public var source: String
    /// The file that was written; `-` for the standard output.
    public var path: String
    /// The format it was converted to; `nil` for a file that was carried along.
    public var format: CheckpointFormat?
    /// How its tensors are named; `nil` for other files than safetensors.
    public var layout: Layout?
    /// How many tensors it holds, counted once under each of their names.
    public var tensorCount: Int
    /// How many names share the bytes of another.
    public var aliasCount: Int
    /// Its size in bytes.
    public var byteCount: Int
    /// What the user should know.
    public var warnings: [String]
  }

  private let options: ConversionOptions

  /// Conversions that follow `options`.
  public init(_ options: ConversionOptions) { self.options = options }

  /// What will be written for `inputs`, decided by their names and places alone.
  ///
  /// - Throws: `inputOutput` for an input that does not exist; `unsupported` for a directory that is
  ///   not a checkpoint and for outputs that would get one name.
  public func tasks(
    for inputs: [String], to destination: Destination
  ) throws(FormatError) -> [ConversionTask] {
    try ConversionPlanner(options: options, destination: destination).tasks(for: inputs)
  }

  /// How many bytes a task will write, found out without reading tensors.
  ///
  /// - Throws: ``FormatError`` for an input that cannot be converted.
  public func measure(_ task: ConversionTask) throws(FormatError) -> Int {
    var total = 0
    for step in task.steps { total += try PreparedOutput(step, options).plan.byteCount }
    return total
  }

  /// Does one task: all of its outputs appear, or none.
  ///
  /// - Parameters:
  ///   - task: what ``tasks(for:to:)`` decided.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: the files written.
  /// - Throws: ``FormatError`` with the file, archive entry or tensor in its path.
  public func run(
    _ task: ConversionTask, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> [Output] {
    var prepared: [PreparedOutput] = []
    for step in task.steps { prepared.append(try PreparedOutput(step, options)) }
    guard options.optimizerNames == nil || prepared.contains(where: \.isOptimizer) else {
      throw OptimizerNames.nothingToName("there is no optimizer's state here")
        .framed(by: task.input)
    }
    let directories = task.directory.map { _ in OutputDirectories() }
    do throws(FormatError) {
      try write(prepared, of: task.input, in: directories, progress: progress)
    } catch {
      directories?.discard()
      throw error
    }
    return prepared.map(\.output)
  }

  // MARK: Writing

  private func write(
    _ prepared: [PreparedOutput], of input: String, in directories: OutputDirectories?,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) {
    var staged: [StagedOutput] = []
    for item in prepared where item.output.path != "-" {
      staged.append(
        try StagedOutput(
          path: item.output.path, replacing: options.replacesExisting,
          synchronising: options.synchronises, in: directories))
    }
    let manifest = try stageManifest()
    var series = PlanSeries(
      prepared.map(\.plan), budget: options.budget,
      progress: progress)
    // Asked for all files before the first is written.
    if let first = staged.first {
      try FreeSpace.require(series.byteCount, in: first.scratchDirectory)
    }
    for (index, item) in prepared.enumerated() {
      let source = item.output.source
      guard item.output.path != "-" else {
        try series.run(item.plan, into: StreamOutput(), from: source)
        continue
      }
      try series.run(item.plan, into: staged[index], from: source)
      guard options.verifiesOutputs else { continue }
      try FormatError.within(source) { () throws(FormatError) in
        try OutputVerification.require(
          item, in: staged[index].makeSource(), budget: options.budget, progress: progress)
      }
    }
    if let manifest {
      let reading = ReadingOptions(
        dropsUnsafe: options.dropsUnsafe, ignoresSkeleton: options.ignoresSkeleton)
      try Manifest.make(of: input, reading, budget: options.budget, progress: progress).0
        .write(into: manifest)
      staged.append(manifest)
    }
    try StagedOutput.commit(staged)
  }

  private func stageManifest() throws(FormatError) -> StagedOutput? {
    guard let path = options.manifest else { return nil }
    return try StagedOutput(
      path: path, replacing: options.replacesExisting, synchronising: options.synchronises)
  }
}

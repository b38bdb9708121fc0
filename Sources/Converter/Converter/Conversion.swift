internal import Bytes
public import Formats
internal import Graph
internal import Plan
internal import Safetensors

/// Converts checkpoints: reads a graph, encodes it as a plan, has the plan carried out.
public struct Conversion: Sendable {
  /// A file that has been written.
  public struct Output: Hashable, Sendable {
    /// The file that was read.
    public var source: String
    /// The file that was written; `-` for the standard output.
    public var path: String
    /// How its tensors are named; `nil` for a file that was carried along.
    public var layout: Layout?
    /// How many entries hold tensors.
    public var tensorCount: Int
    /// How many names share the bytes of another.
    public var aliasCount: Int
    /// Its size in bytes.
    public var byteCount: Int
    /// What the user should know.
    public var warnings: [String]
  }

  /// A file to write, with everything known about it before a byte moves.
  private struct Prepared {
    var output: Output
    var plan: FilePlan
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
    var prepared: [Prepared] = []
    for step in task.steps { prepared.append(try prepare(step)) }
    let made = try makeDirectory(task.directory)
    do throws(FormatError) {
      try write(prepared, progress: progress)
    } catch {
      Syscalls.removeEmptyDirectories(made)
      throw error
    }
    return prepared.map(\.output)
  }

  // MARK: Preparing

  private func prepare(_ step: ConversionTask.Step) throws(FormatError) -> Prepared {
    switch step.action {
    case .convert(let layout): try prepareConversion(step, layout)
    case .carry: try prepareCopy(step)
    }
  }

  private func prepareConversion(
    _ step: ConversionTask.Step, _ layout: Layout
  ) throws(FormatError) -> Prepared {
    let checkpoint = try CheckpointFile.read(step.source, droppingUnsafe: options.dropsUnsafe)
    guard case .torch = checkpoint.source.container else {
      throw FormatError(.unsupported, "this is a safetensors file already").framed(by: step.source)
    }
    let encoding = try FormatError.within(step.source) { () throws(FormatError) in
      try SafetensorsEncoder.encode(
        checkpoint,
        options: .init(
          layout: layout, includesSkeleton: options.includesSkeleton, tied: options.tied,
          allowsLoss: options.allowsLoss))
    }
    let output = Output(
      source: step.source, path: step.output ?? "-", layout: layout,
      tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
      byteCount: encoding.plan.byteCount,
      warnings: checkpoint.warnings + encoding.warnings + placeWarnings(step, layout))
    return Prepared(output: output, plan: encoding.plan)
  }

  private func prepareCopy(_ step: ConversionTask.Step) throws(FormatError) -> Prepared {
    let file = try FormatError.wrapping { () throws(SystemError) in
      try SourceFile(path: step.source)
    }
    let region = FileRegion(file: file, range: 0..<file.byteCount, name: step.source)
    var plan = FilePlan()
    plan.append(.copy(region, range: 0..<file.byteCount))
    let output = Output(
      source: step.source, path: step.output ?? "-", layout: nil, tensorCount: 0, aliasCount: 0,
      byteCount: plan.byteCount, warnings: [])
    return Prepared(output: output, plan: plan)
  }

  /// OLMo's trainer takes `model.safetensors` before `model.pt` and reads no other layout.
  private func placeWarnings(_ step: ConversionTask.Step, _ layout: Layout) -> [String] {
    guard layout != .olmo, let path = step.output.map({ FilePath($0) }),
      OLMoDirectory.isStateName(path.name), OLMoDirectory.isCheckpoint(path.directory)
    else { return [] }
    return [
      "the OLMo trainer will try to load '\(path.text)' before the .pt file and fail: it reads "
        + "layout olmo only"
    ]
  }

  // MARK: Writing

  private func makeDirectory(_ path: String?) throws(FormatError) -> [String] {
    guard let path else { return [] }
    return try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.makeDirectories(path)
    }
  }

  private func write(
    _ prepared: [Prepared], progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) {
    var staged: [StagedOutput] = []
    for item in prepared where item.output.path != "-" {
      staged.append(
        try StagedOutput(
          path: item.output.path, replacing: options.replacesExisting,
          synchronising: options.synchronises))
    }
    let total = prepared.reduce(0) { $0 + $1.plan.byteCount }
    var finished = 0
    for (index, item) in prepared.enumerated() {
      let (before, size) = (finished, item.plan.byteCount)
      let engine = CopyEngine(threadCount: options.threads) { done, itemTotal in
        // Bytes that are only checked count in the engine's total and not in the file's.
        progress(before + done, total - size + itemTotal)
      }
      try FormatError.within(item.output.source) { () throws(FormatError) in
        if item.output.path == "-" {
          try engine.run(item.plan, into: StreamOutput())
        } else {
          try engine.run(item.plan, into: staged[index])
        }
      }
      finished += size
    }
    try StagedOutput.commit(staged)
  }
}

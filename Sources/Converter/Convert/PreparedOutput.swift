internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSkeleton

/// A file to write, with everything known about it before a byte moves.
struct PreparedOutput {
  /// What is told of it.
  var output: Conversion.Output
  /// Its bytes.
  var plan: FilePlan
  /// What it is made from; `nil` for a file that is carried along.
  var source: Checkpoint?
  /// Whether the output has a place for all of its source.
  var holdsAll = true

  /// Whether it is the state of an optimizer.
  var isOptimizer: Bool { source.map { OptimizerState.isState($0.graph) } ?? false }

  /// Reads the source of a step and plans its output.
  ///
  /// - Throws: ``CheckpointError`` with the source, archive entry or tensor in its path.
  init(_ step: ConversionTask.Step, _ options: ConversionOptions) throws(CheckpointError) {
    switch step.action {
    case .encodeSafetensors(let layout): try self.init(encoding: step, options, layout)
    case .encodeTorch: try self.init(encoding: step, options, nil)
    case .carry: try self.init(carrying: step)
    }
  }

  /// Plans a conversion; `layout` is for safetensors files.
  private init(
    encoding step: ConversionTask.Step, _ options: ConversionOptions, _ layout: Layout?
  ) throws(CheckpointError) {
    var checkpoint = try Self.read(step, options)
    var writing = EncodingOptions(path: step.target.path)
    writing.safetensors = options.safetensors
    writing.safetensors.layout = layout ?? .plain
    writing.keepsMetadata = options.keepsMetadata
    let format: CheckpointFormat = layout == nil ? .torch : .safetensors
    let encoded = try CheckpointError.within(step.source) { () throws(CheckpointError) in
      if format == .torch, options.nestsNames { try checkpoint.graph.nestDottedKeys() }
      return try CheckpointFile.encode(checkpoint, as: format, writing)
    }
    source = checkpoint
    holdsAll = format == .torch || writing.safetensors.includesSkeleton
    plan = encoded.plan
    output = Conversion.Output(
      source: step.source, target: step.target, format: format, layout: layout,
      tensorCount: encoded.tensorCount, aliasCount: encoded.aliasCount,
      byteCount: plan.byteCount,
      warnings: checkpoint.warnings + encoded.warnings + Self.placeWarnings(step, layout))
  }

  private init(carrying step: ConversionTask.Step) throws(CheckpointError) {
    let file = try FileSource(path: step.source)
    plan = .copying(file)
    output = Conversion.Output(
      source: step.source, target: step.target, format: nil, layout: nil, tensorCount: 0,
      aliasCount: 0, byteCount: plan.byteCount, warnings: [])
  }

  /// The checkpoint of a step, which must not be of the format that is written.
  private static func read(
    _ step: ConversionTask.Step, _ options: ConversionOptions
  ) throws(CheckpointError) -> Checkpoint {
    var checkpoint = try CheckpointFile.read(step.source, options.reading)
    guard let format = checkpoint.container?.format else {
      throw CheckpointError(
        .unsupported, "this is the index of a checkpoint in several files",
        remedy: "convert its files one by one"
      ).framed(by: step.source)
    }
    guard format != options.format else {
      throw CheckpointError(
        .unsupported, "this is a \(format == .torch ? ".pt" : "safetensors") file already"
      ).framed(by: step.source)
    }
    if let names = options.optimizerNames, OptimizerState.isState(checkpoint.graph) {
      try CheckpointError.within(step.source) { () throws(CheckpointError) in
        try names.apply(to: &checkpoint.graph)
      }
    }
    return checkpoint
  }

  /// OLMo's trainer takes `model.safetensors` before `model.pt` and reads no other layout.
  private static func placeWarnings(_ step: ConversionTask.Step, _ layout: Layout?) -> [String] {
    guard let layout, layout != .olmo, let path = step.target.path.map({ FilePath($0) }),
      OLMoDirectory.isStateName(path.name),
      (try? OLMoDirectory.isCheckpoint(path.directory)) != false
    else { return [] }
    return [
      "the OLMo trainer will try to load '\(path.text)' before the .pt file and fail: it reads "
        + "layout olmo only"
    ]
  }
}

/// Reads an output again before it has its name, and compares it with what it was made from.
enum OutputVerification {
  /// Makes sure that `written` holds what the source of `item` does.
  ///
  /// An output that cannot hold all of it is compared byte by byte with what was to be written.
  /// - Throws: `conflict` where something differs, and what reading both throws.
  static func require(
    _ item: PreparedOutput, in written: any ByteSource, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    guard let source = item.source, item.holdsAll else {
      let found = try item.plan.differences(from: written, budget: budget, progress: progress)
      guard found.isEmpty, written.byteCount == item.plan.byteCount else {
        throw mismatch("its bytes differ")
      }
      return
    }
    let comparison = try VerifyComparison(
      source, CheckpointFile.read(written), budget: budget, progress: progress)
    guard let first = comparison.differences.first.first else { return }
    let sides = [first.first, first.second].map { $0 ?? "nothing" }.joined(separator: " became ")
    let others = comparison.differences.count - 1
    throw mismatch(
      "'\(first.place)' differs in \(first.kind.rawValue): \(sides)"
        + (others > 0 ? ", and \(others) more differences" : ""))
  }

  private static func mismatch(_ text: String) -> CheckpointError {
    CheckpointError(
      .conflict, "what was written is not what was read: \(text)",
      remedy: .text(
        "nothing is left of it; if it happens again, test the memory and the disk of this "
          + "machine, and report it as a bug if both are in order"))
  }
}

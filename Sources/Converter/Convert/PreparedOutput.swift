package import CkptBase
internal import CkptCheckpoints
package import CkptCompare
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSkeleton

/// A planned output file, before a byte is copied.
struct PreparedOutput {
  /// The description of the output for the report.
  var output: Conversion.Output
  /// Its bytes.
  var plan: FilePlan
  /// The source checkpoint; `nil` for a file that is copied unchanged.
  var source: Checkpoint?
  /// Whether the output can hold all of its source.
  var holdsAll = true

  /// Whether it is an optimizer state.
  var isOptimizer: Bool { source.map { OptimizerState.isState($0.graph) } ?? false }

  /// Reads the source of a step and plans its outputs: one file, or shards and their index.
  ///
  /// - Throws: ``CheckpointError`` with the source, archive entry or tensor in its path.
  static func outputs(
    of step: ConversionTask.Step, _ options: ConversionOptions
  ) throws(CheckpointError) -> [PreparedOutput] {
    switch step.action {
    case .encodeSafetensors(let layout):
      [try PreparedOutput(encoding: read(step, options), step, options, layout)]
    case .encodeShards(let maximum): try shards(of: step, options, maximumByteCount: maximum)
    case .encodeTorch: [try PreparedOutput(encoding: read(step, options), step, options, nil)]
    case .encodeParts(let layout): try parts(of: step, options, layout)
    case .carry: [try PreparedOutput(carrying: step)]
    }
  }

  private static func shards(
    of step: ConversionTask.Step, _ options: ConversionOptions, maximumByteCount: Int?
  ) throws(CheckpointError) -> [PreparedOutput] {
    let checkpoint = try read(step, options)
    let whole = FilePath(step.target.description)
    let shards = try CheckpointError.within(step.source) { () throws(CheckpointError) in
      let division: ShardDivision =
        if let maximumByteCount {
          .limit(maximumByteCount)
        } else {
          .files((checkpoint.container as? ShardsDescription)?.fileNumbers ?? [:])
        }
      return try SafetensorsEncoder.encodeShards(
        checkpoint, options: options.safetensors, division,
        stem: CheckpointMembers.name(ofFile: whole.name))
    }
    func output(_ name: String, _ plan: FilePlan) -> PreparedOutput {
      let output = Conversion.Output(
        source: step.source, target: .file(whole.directory.appending(name).text), format: nil,
        layout: nil, tensorCount: 0, aliasCount: 0, byteCount: plan.byteCount, warnings: [])
      return PreparedOutput(output: output, plan: plan, source: checkpoint, holdsAll: false)
    }
    var outputs: [PreparedOutput] = []
    for file in shards.files {
      var shard = output(file.name, file.plan)
      shard.output.format = .safetensors
      shard.output.layout = .plain
      shard.output.tensorCount = file.tensorCount
      outputs.append(shard)
    }
    outputs[0].output.aliasCount = shards.aliasCount
    outputs[0].output.warnings = checkpoint.warnings + shards.warnings
    guard let index = shards.index else { return outputs }
    var plan = FilePlan()
    plan.append(.literal(index.bytes))
    return outputs + [output(index.name, plan)]
  }

  private static func parts(
    of step: ConversionTask.Step, _ options: ConversionOptions, _ layout: Layout?
  ) throws(CheckpointError) -> [PreparedOutput] {
    var checkpoint = try read(step, options)
    let parts = try StateDictParts.split(&checkpoint.graph)
    let directory = FilePath(step.target.description).directory
    var outputs: [PreparedOutput] = []
    for part in parts {
      var partStep = step
      let name = "\(part.name).\(options.format.fileExtension)"
      partStep.target = .file(directory.appending(name).text)
      var partCheckpoint = checkpoint
      partCheckpoint.graph.root = part.root
      if !outputs.isEmpty { partCheckpoint.warnings = [] }
      outputs.append(try PreparedOutput(encoding: partCheckpoint, partStep, options, layout))
    }
    return outputs
  }

  /// Creates an output.
  init(
    output: Conversion.Output, plan: FilePlan, source: Checkpoint? = nil, holdsAll: Bool = true
  ) {
    self.output = output
    self.plan = plan
    self.source = source
    self.holdsAll = holdsAll
  }

  /// Plans a conversion; `layout` applies to safetensors files.
  private init(
    encoding checkpoint: Checkpoint, _ step: ConversionTask.Step, _ options: ConversionOptions,
    _ layout: Layout?
  ) throws(CheckpointError) {
    var checkpoint = checkpoint
    var writing = EncodingOptions(path: step.target.path)
    writing.safetensors = options.safetensors
    writing.safetensors.layout = layout ?? .plain
    writing.keepsMetadata = options.keepsMetadata
    writing.torchContainer = options.torchContainer
    if checkpoint.container?.holdsObject == false {
      // Shards hold only named tensors, so a skeleton would be empty.
      writing.safetensors.includesSkeleton = false
      writing.safetensors.metadata = [("format", "pt")]
    }
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
      warnings: checkpoint.warnings + encoded.warnings + Self.placeWarnings(step, layout)
        + Self.emptinessWarnings(checkpoint.graph, tensorCount: encoded.tensorCount))
    if format == .safetensors {
      output.wrapper = Selection.wrapper(aroundNamesOf: checkpoint.graph)
    }
  }

  /// A file of values alone is rarely what the user wants.
  private static func emptinessWarnings(_ graph: TensorGraph, tensorCount: Int) -> [String] {
    guard tensorCount == 0 else { return [] }
    let arrays = (0..<graph.nodeCount).count { index in
      if case .numpyArray? = graph.knownObject(NodeID(index: index)) { true } else { false }
    }
    guard arrays > 0 else { return ["no tensor was found, so the output has none"] }
    return [
      "no tensor was found, so the output has none; it keeps NumPy arrays (\(arrays)) as values"
    ]
  }

  private init(carrying step: ConversionTask.Step) throws(CheckpointError) {
    let file = try FileSource(path: step.source)
    plan = .copying(file)
    output = Conversion.Output(
      source: step.source, target: step.target, format: nil, layout: nil, tensorCount: 0,
      aliasCount: 0, byteCount: plan.byteCount, warnings: [])
  }

  /// Reads the checkpoint of a step, which must not have the output format already.
  private static func read(
    _ step: ConversionTask.Step, _ options: ConversionOptions
  ) throws(CheckpointError) -> Checkpoint {
    var checkpoint = try CheckpointFile.read(step.source, options.reading)
    let format = checkpoint.container?.format
    // Splitting a file into shards, or joining shards, is a change too.
    guard format != options.format || options.maximumShardByteCount != nil else {
      throw CheckpointError(
        .unsupported, "this is already a \(format == .torch ? ".pt" : "safetensors") file"
      ).framed(by: step.source)
    }
    try CheckpointError.within(step.source) { () throws(CheckpointError) in
      try options.selection.apply(to: &checkpoint)
    }
    if let names = options.optimizerNames, OptimizerState.isState(checkpoint.graph) {
      try CheckpointError.within(step.source) { () throws(CheckpointError) in
        try names.apply(to: &checkpoint.graph)
      }
    }
    return checkpoint
  }

  /// Warns about files that OLMo's trainer cannot read: it tries `model.safetensors` before
  /// `model.pt` and reads only the layout `olmo`.
  private static func placeWarnings(_ step: ConversionTask.Step, _ layout: Layout?) -> [String] {
    guard let layout, layout != .olmo, let path = step.target.path.map({ FilePath($0) }),
      OLMoDirectory.isStateName(path.name),
      (try? OLMoDirectory.isCheckpoint(path.directory)) != false
    else { return [] }
    return [
      "OLMo's trainer will try to load '\(path.text)' before the .pt file and fail, because it reads "
        + "only the layout olmo"
    ]
  }
}

/// Reads an output again before it appears, and compares it with its source.
package enum OutputVerification {
  /// Checks that `written` holds the same as the source of `item`.
  ///
  /// An output that cannot hold all of it is compared byte by byte with its plan.
  /// - Throws: `conflict` if something differs, and the errors of reading both.
  static func require(
    _ item: PreparedOutput, in written: any ByteSource, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    guard let source = item.source, item.holdsAll else {
      let found = try item.plan.differences(from: written, budget: budget, progress: progress)
      guard found.isEmpty, written.byteCount == item.plan.byteCount else {
        throw mismatch("the bytes differ")
      }
      return
    }
    let differences = try VerifyComparison(
      source, CheckpointFile.read(written), budget: budget, progress: progress
    ).differences
    try requireNone(differences.first, count: differences.count)
  }

  /// Checks that there are no differences between an input and its output.
  ///
  /// - Throws: `conflict` with the first of `count` differences.
  package static func requireNone(
    _ differences: [Difference], count: Int
  ) throws(CheckpointError) {
    guard let first = differences.first else { return }
    let sides = [first.first, first.second].map { $0 ?? "nothing" }.joined(separator: " became ")
    let others = count - 1
    throw mismatch(
      "'\(first.place)' differs in \(first.kind.rawValue): \(sides)"
        + (others > 0 ? ", and \(others) more differences" : ""))
  }

  /// Returns the error for an output that differs from its input.
  package static func mismatch(_ text: String) -> CheckpointError {
    CheckpointError(
      .conflict, "the output differs from the input: \(text)",
      remedy: .text(
        "the output was removed; if this happens again, test the memory and the disk of this "
          + "machine, and report it as a bug if both are in order"))
  }
}

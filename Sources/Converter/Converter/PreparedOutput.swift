internal import Bytes
internal import Formats
internal import Graph
internal import Plan
internal import Safetensors
internal import Torch

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
  /// - Throws: ``FormatError`` with the source, archive entry or tensor in its path.
  init(_ step: ConversionTask.Step, _ options: ConversionOptions) throws(FormatError) {
    switch step.action {
    case .encodeSafetensors(let layout): try self.init(step, options, safetensors: layout)
    case .encodeTorch: try self.init(torch: step, options)
    case .carry: try self.init(carrying: step)
    }
  }

  private init(
    _ step: ConversionTask.Step, _ options: ConversionOptions, safetensors layout: Layout
  ) throws(FormatError) {
    let checkpoint = try Self.read(step, options)
    let encoding = try FormatError.within(step.source) { () throws(FormatError) in
      try SafetensorsEncoder.encode(
        checkpoint,
        options: .init(
          layout: layout, includesSkeleton: options.includesSkeleton, tied: options.tied,
          allowsLoss: options.allowsLoss))
    }
    source = checkpoint
    holdsAll = options.includesSkeleton
    plan = encoding.plan
    output = Conversion.Output(
      source: step.source, path: step.output ?? "-", format: .safetensors, layout: layout,
      tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
      byteCount: plan.byteCount,
      warnings: checkpoint.warnings + encoding.warnings + Self.placeWarnings(step, layout))
  }

  private init(torch step: ConversionTask.Step, _ options: ConversionOptions) throws(FormatError) {
    var checkpoint = try Self.read(step, options)
    let encoding = try FormatError.within(step.source) { () throws(FormatError) in
      if options.nestsNames { try checkpoint.graph.nestDottedKeys() }
      return try TorchEncoder.encode(
        checkpoint,
        options: .init(
          prefix: TorchEncoder.prefix(forFileAt: step.output),
          records: options.keepsMetadata ? MetadataRecord.records(for: checkpoint.source) : []))
    }
    source = checkpoint
    plan = encoding.plan
    output = Conversion.Output(
      source: step.source, path: step.output ?? "-", format: .torch, layout: nil,
      tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
      byteCount: plan.byteCount, warnings: checkpoint.warnings + encoding.warnings)
  }

  private init(carrying step: ConversionTask.Step) throws(FormatError) {
    let file = try SourceFile.open(step.source)
    plan = .copying(file)
    output = Conversion.Output(
      source: step.source, path: step.output ?? "-", format: nil, layout: nil, tensorCount: 0,
      aliasCount: 0, byteCount: plan.byteCount, warnings: [])
  }

  /// The checkpoint of a step, which must not be of the format that is written.
  private static func read(
    _ step: ConversionTask.Step, _ options: ConversionOptions
  ) throws(FormatError) -> Checkpoint {
    var checkpoint = try CheckpointFile.read(
      step.source,
      .init(dropsUnsafe: options.dropsUnsafe, ignoresSkeleton: options.ignoresSkeleton))
    switch (checkpoint.source.container, options.format) {
    case (.torch, .torch):
      throw FormatError(.unsupported, "this is a .pt file already").framed(by: step.source)
    case (.safetensors, .safetensors):
      throw FormatError(.unsupported, "this is a safetensors file already").framed(by: step.source)
    case (.torch, .safetensors), (.safetensors, .torch): break
    case (.shards, _):
      throw FormatError(
        .unsupported, "this is the index of a checkpoint in several files",
        hint: "convert its files one by one"
      ).framed(by: step.source)
    }
    if let names = options.optimizerNames, OptimizerState.isState(checkpoint.graph) {
      try FormatError.within(step.source) { () throws(FormatError) in
        try names.apply(to: &checkpoint.graph)
      }
    }
    return checkpoint
  }

  /// OLMo's trainer takes `model.safetensors` before `model.pt` and reads no other layout.
  private static func placeWarnings(_ step: ConversionTask.Step, _ layout: Layout) -> [String] {
    guard layout != .olmo, let path = step.output.map({ FilePath($0) }),
      OLMoDirectory.isStateName(path.name),
      (try? OLMoDirectory.isCheckpoint(path.directory)) != false
    else { return [] }
    return [
      "the OLMo trainer will try to load '\(path.text)' before the .pt file and fail: it reads "
        + "layout olmo only"
    ]
  }
}

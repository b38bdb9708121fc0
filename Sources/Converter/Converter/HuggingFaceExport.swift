internal import Architectures
internal import Bytes
internal import Configs
public import Formats
internal import Graph
internal import Plan
internal import Safetensors

/// Turns the directory of an OLMo checkpoint into a Hugging Face folder.
public struct HuggingFaceExport: Sendable {
  /// What the caller decides.
  public struct Options: Sendable {
    /// What holds for any directory that is written.
    public var folder = FolderOptions()
    /// The most bytes of tensors that one file holds, unless one tensor alone has more.
    public var shardByteCount = 5_000_000_000
    /// The type that weights are cast to; `nil` keeps their bits.
    public var dtype: DType?
    /// Whether the optimizer's and the trainer's state go along.
    public var carriesOptimizer = false
    /// Where the tokenizer is; `nil` for the input.
    public var tokenizer: String?
    /// Whether an end-of-text token 0 stays 0.
    public var keepsEndOfText = false
    /// Whether what only OLMo knows goes along, so that the way back returns the same files.
    public var carriesRest = true

    /// The defaults.
    public init() {}
  }

  var options: Options

  /// Conversions that follow `options`.
  public init(_ options: Options) { self.options = options }

  /// Converts the directory `input` to the folder `output`, which appears complete or not at all.
  ///
  /// - Parameters:
  ///   - input: the directory of an OLMo checkpoint.
  ///   - output: a directory that is empty or does not exist.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: what was written and what became of the configuration.
  /// - Throws: ``FormatError`` with the file, field or tensor in its path: `unsupported` for models
  ///   that Hugging Face has no class for, `conflict` where files of the checkpoint disagree.
  public func run(
    _ input: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> FolderReport {
    try FolderWriter(output, options.folder).write(progress: progress) {
      () throws(FormatError) in
      try plan(FilePath(input), output)
    }
  }

  func plan(_ input: FilePath, _ output: String) throws(FormatError) -> FolderPlan {
    var plan = FolderPlan(output)
    let configPath = input.appending(OLMoDirectory.configuration).text
    try FolderPlan.requireDirectory(input)
    guard try FilePath(configPath).status() != nil,
      let modelPath = try OLMoDirectory.file(of: "model", in: input)
    else { throw Self.notACheckpoint(input) }
    let config = try OLMoConfig(path: configPath)
    let source = try read(modelPath)

    var translationOptions = HuggingFaceTranslation.Options()
    translationOptions.keepsEndOfText = options.keepsEndOfText
    translationOptions.carriesRest = options.carriesRest
    translationOptions.dtype = try FormatError.within(modelPath) { () throws(FormatError) in
      let found = try WeightType.only(of: source.graph, &plan)
      return (options.dtype ?? found).name
    }
    let (translation, map) = try FormatError.within(configPath) { () throws(FormatError) in
      (try HuggingFaceTranslation(config, translationOptions), try TensorMap(of: config.model))
    }
    let naming = HuggingFaceNaming(map: map)
    try FormatError.within(modelPath) { () throws(FormatError) in
      try addModel(source, modelPath, naming, to: &plan)
    }
    try addConfiguration(translation, config, in: input, translationOptions, to: &plan)
    try addOptimizer(of: input, naming, to: &plan)
    try addTokenizer(of: input, to: &plan)
    return plan
  }

  // MARK: Tensors

  private func addModel(
    _ source: Checkpoint, _ path: String, _ naming: HuggingFaceNaming, to plan: inout FolderPlan
  ) throws(FormatError) {
    var named = source
    named.graph = try naming.model(source.graph)
    if let dtype = options.dtype { named.graph.castFloats(to: dtype) }
    named.source = .assembled
    let shards = try SafetensorsEncoder.encodeShards(
      named, options: .init(tied: .copy), maximumByteCount: options.shardByteCount)
    for (index, file) in shards.files.enumerated() {
      plan.add(
        file.name, from: path, file.plan, format: .safetensors, layout: .plain,
        tensorCount: file.tensorCount, warnings: index == 0 ? source.warnings + shards.warnings : []
      )
    }
    if let index = shards.index { plan.add(SafetensorsShards.indexName, from: path, bytes: index) }
    // Once numbers have been rounded, the file cannot return.
    guard options.carriesRest, options.dtype == nil else { return }
    try addSkeleton(
      .model, naming.map, of: source, path, HuggingFaceFolder.modelSkeleton, to: &plan)
  }

  private func addOptimizer(
    of input: FilePath, _ naming: HuggingFaceNaming, to plan: inout FolderPlan
  ) throws(FormatError) {
    let optimizer = try OLMoDirectory.file(of: "optim", in: input)
    let trainer = try OLMoDirectory.file(of: OLMoDirectory.trainer, in: input)
    guard options.carriesOptimizer else {
      for path in [optimizer, trainer].compactMap(\.self) {
        plan.note("'\(path)' stays behind; --optimizer takes it along")
      }
      return
    }
    guard let path = optimizer else {
      throw FormatError(
        .unsupported, "there is no optimizer state in this directory",
        hint: "leave out --optimizer to convert the model alone"
      ).framed(by: input.text)
    }
    let source = try read(path)
    try FormatError.within(path) { () throws(FormatError) in
      var named = source
      named.graph = try naming.optimizer(source.graph)
      named.source = .assembled
      let encoding = try SafetensorsEncoder.encode(named, options: .init(tied: .copy))
      plan.add(
        HuggingFaceFolder.optimizer, from: path, encoding.plan, format: .safetensors,
        layout: .plain, tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
        warnings: source.warnings + encoding.warnings)
      guard options.carriesRest else { return }
      try addSkeleton(
        .optimizer, naming.map, of: source, path, HuggingFaceFolder.optimizerSkeleton, to: &plan)
    }
    if let trainer { try addTrainer(at: trainer, to: &plan) }
  }

  /// Adds the trainer's state as a `.pt` file, which is what comes back.
  private func addTrainer(at path: String, to plan: inout FolderPlan) throws(FormatError) {
    let source = try read(path)
    if case .torch = source.source.container {
      return try plan.add(HuggingFaceFolder.trainer, copyOf: path)
    }
    let encoding = try FormatError.within(path) { () throws(FormatError) in
      try TorchEncoder.encode(source, options: .init(prefix: OLMoDirectory.trainer))
    }
    plan.add(
      HuggingFaceFolder.trainer, from: path, encoding.plan, format: .torch,
      tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
      warnings: source.warnings + encoding.warnings)
  }

  private func addSkeleton(
    _ kind: OLMoSkeleton.Kind, _ map: TensorMap, of source: Checkpoint, _ path: String,
    _ name: String, to plan: inout FolderPlan
  ) throws(FormatError) {
    let skeleton = OLMoSkeleton(kind: kind, groupSize: map.dimensions.blockGroupSize)
    guard let document = try skeleton.document(of: source) else {
      return plan.warn("'\(path)' has tensors in unusual places and will not return byte for byte")
    }
    plan.add(name, from: path, bytes: document)
  }

  private func read(_ path: String) throws(FormatError) -> Checkpoint {
    try CheckpointFile.read(path, ReadingOptions(dropsUnsafe: options.folder.dropsUnsafe))
  }

  // MARK: Small files

  private func addConfiguration(
    _ translation: HuggingFaceTranslation, _ config: OLMoConfig, in input: FilePath,
    _ options: HuggingFaceTranslation.Options, to plan: inout FolderPlan
  ) throws(FormatError) {
    let returning = try ReturningConfig(in: input, for: translation, of: config, options)
    for file in returning.files { plan.add(file.name, from: file.source, bytes: file.bytes) }
    for warning in returning.warnings { plan.warn(warning) }
    plan.describe { $0.configuration = translation.report }
  }

  private func addTokenizer(
    of input: FilePath, to plan: inout FolderPlan
  ) throws(FormatError) {
    guard try !plan.addTokenizer(at: options.tokenizer, or: input) else { return }
    plan.note("there is no tokenizer in '\(input.text)'; --tokenizer names the place of one")
  }

  private static func notACheckpoint(_ input: FilePath) -> FormatError {
    FormatError(
      .unsupported, "there is no config.yaml with a model.pt or model.safetensors here",
      hint: "give the directory of one step, such as 'step1000-unsharded'"
    ).framed(by: input.text)
  }
}

package import CkptBase
internal import CkptCheckpoints
package import CkptCompare
package import CkptCopy
public import CkptFormats
internal import CkptGraph
public import CkptModels
internal import CkptPlan
internal import CkptSafetensors
internal import CkptSkeleton
internal import CkptTorch

/// Converts the directory of a checkpoint of OLMo or OLMo-core to a Hugging Face model.
public struct OLMoToHuggingFace: Sendable {
  /// The caller's choices.
  public struct Options: Sendable {
    /// The options for the output directory.
    public var folder = DirectoryOptions()
    /// The maximum number of bytes of tensors in one file; `nil` for the 5 GB of `save_pretrained`.
    ///
    /// A larger tensor gets a file of its own.
    public var maximumShardByteCount: Int?
    /// The dtype to cast weights to; `nil` keeps their bits.
    public var dtype: DType?
    /// Whether to include the optimizer and trainer state.
    public var carriesOptimizer = false
    /// The location of the tokenizer; `nil` for the input.
    public var tokenizer: String?
    /// The options for translating the configuration.
    ///
    /// The dtype of the weights decides its precision.
    ///
    /// OLMo's own settings are kept, so that the way back restores the same files.
    public var translation = HuggingFaceTranslation.Options()

    /// Creates the default options.
    public init() {}
  }

  var options: Options

  /// Creates a converter with `options`.
  public init(_ options: Options = Options()) { self.options = options }

  /// Converts the directory `input` to the directory `output`, which appears complete or not at
  /// all.
  ///
  /// - Parameters:
  ///   - input: the directory of an OLMo checkpoint.
  ///   - output: a new or empty directory.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the output files and the outcome of the configuration.
  /// - Throws: ``CheckpointError`` with the file, field or tensor in its path: `unsupported` for models
  ///   that Hugging Face has no class for, `conflict` where files of the checkpoint disagree.
  public func run(
    _ input: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> DirectoryReport {
    try convert(input, to: output, progress: progress)
  }

  /// Plans the output directory, without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  package func plan(_ input: FilePath, _ output: String) throws(CheckpointError) -> DirectoryPlan {
    try DirectoryPlan.requireDirectory(input)
    guard try !OLMoCoreDirectory.isThere(input) else { return try corePlan(input, output) }
    var plan = DirectoryPlan(output)
    let configPath = input.appending(OLMoDirectory.configuration).text
    guard try FilePath(configPath).status() != nil,
      let modelPath = try OLMoDirectory.file(of: "model", in: input)
    else { throw Self.notACheckpoint(input) }
    let config = try OLMoConfig(path: configPath)
    let source = try read(modelPath)

    var translationOptions = options.translation
    translationOptions.dtype = try CheckpointError.within(modelPath) { () throws(CheckpointError) in
      let found = try WeightType.only(of: source.graph, &plan)
      return (options.dtype ?? found).name
    }
    let (translation, map) = try CheckpointError.within(configPath) { () throws(CheckpointError) in
      (try HuggingFaceTranslation(config, translationOptions), try TensorMap(of: config.model))
    }
    let naming = HuggingFaceNaming(map: map)
    try CheckpointError.within(modelPath) { () throws(CheckpointError) in
      try addModel(source, modelPath, naming, to: &plan)
    }
    try addConfiguration(translation, config, in: input, translationOptions, to: &plan)
    try addOptimizer(of: input, naming, to: &plan)
    try addTokenizer(of: input, to: &plan)
    return plan
  }

  // MARK: Tensors

  private func addModel(
    _ source: Checkpoint, _ path: String, _ naming: HuggingFaceNaming, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    var named = source
    named.graph = try naming.model(source.graph)
    if let dtype = options.dtype { try named.castTensors(to: dtype) }
    try addShards(named, path, to: &plan)
    // After a cast the original file cannot be restored.
    guard options.translation.carriesRest, options.dtype == nil else { return }
    try addSkeleton(
      .model, naming.map, of: source, path, HuggingFaceFolder.modelSkeleton, to: &plan)
  }

  /// Adds the files of a model with the names of Hugging Face.
  func addShards(
    _ model: Checkpoint, _ path: String, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    var model = model
    model.container = nil
    let shards = try SafetensorsEncoder.encodeShards(
      model, options: .init(tied: .copy),
      .limit(options.maximumShardByteCount ?? SafetensorsShards.usualByteCount))
    for (index, file) in shards.files.enumerated() {
      plan.add(
        file.name, from: path, file.plan, format: .safetensors, layout: .plain,
        tensorCount: file.tensorCount, warnings: index == 0 ? model.warnings + shards.warnings : []
      )
    }
    if let index = shards.index { plan.add(index.name, from: path, bytes: index.bytes) }
  }

  /// Adds the file of an optimizer state with the names of Hugging Face.
  func addOptimizer(
    _ state: Checkpoint, _ path: String, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    var state = state
    state.container = nil
    let encoding = try SafetensorsEncoder.encode(state, options: .init(tied: .copy))
    plan.add(
      HuggingFaceFolder.optimizer, from: path, encoding.plan, format: .safetensors,
      layout: .plain, tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
      warnings: state.warnings + encoding.warnings)
  }

  private func addOptimizer(
    of input: FilePath, _ naming: HuggingFaceNaming, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    let optimizer = try OLMoDirectory.file(of: "optim", in: input)
    let trainer = try OLMoDirectory.file(of: OLMoDirectory.trainer, in: input)
    guard options.carriesOptimizer else {
      plan.describe { $0.isPartial = optimizer != nil || trainer != nil }
      for path in [optimizer, trainer].compactMap(\.self) {
        plan.note(
          Notice(
            "\(FilePath(path).name) was not converted", remedy: .action(.includeOptimizer)))
      }
      return
    }
    guard let path = optimizer else { throw Self.noOptimizer(input) }
    let source = try read(path)
    try CheckpointError.within(path) { () throws(CheckpointError) in
      var named = source
      named.graph = try naming.optimizer(source.graph)
      try addOptimizer(named, path, to: &plan)
      guard options.translation.carriesRest else { return }
      try addSkeleton(
        .optimizer, naming.map, of: source, path, HuggingFaceFolder.optimizerSkeleton, to: &plan)
    }
    if let trainer { try addTrainer(at: trainer, to: &plan) }
  }

  /// Adds the trainer state as a `.pt` file, so that the way back restores it.
  private func addTrainer(at path: String, to plan: inout DirectoryPlan) throws(CheckpointError) {
    let source = try read(path)
    if source.container?.format == .torch {
      return try plan.add(HuggingFaceFolder.trainer, copyOf: path)
    }
    let encoding = try CheckpointError.within(path) { () throws(CheckpointError) in
      try TorchEncoder.encode(source, options: .init(prefix: OLMoDirectory.trainer))
    }
    plan.add(
      HuggingFaceFolder.trainer, from: path, encoding.plan, format: .torch,
      tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
      warnings: source.warnings + encoding.warnings)
  }

  private func addSkeleton(
    _ kind: OLMoSidecar.Kind, _ map: TensorMap, of source: Checkpoint, _ path: String,
    _ name: String, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    let skeleton = OLMoSidecar(kind: kind, groupSize: map.dimensions.blockGroupSize)
    guard let document = try skeleton.document(of: source) else {
      return plan.warn(
        "'\(path)' has tensors in unusual places; the way back will not restore it byte for byte")
    }
    plan.add(name, from: path, bytes: document)
  }

  private func read(_ path: String) throws(CheckpointError) -> Checkpoint {
    try CheckpointFile.read(path, options.folder.reading)
  }

  // MARK: Small files

  private func addConfiguration(
    _ translation: HuggingFaceTranslation, _ config: OLMoConfig, in input: FilePath,
    _ options: HuggingFaceTranslation.Options, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    let returning = try PreservedConfig(in: input, for: translation, of: config, options)
    for file in returning.files { plan.add(file.name, from: file.source, bytes: file.bytes) }
    for warning in returning.warnings { plan.warn(warning) }
    plan.describe { $0.configuration = translation.report }
  }

  static func noOptimizer(_ input: FilePath) -> CheckpointError {
    CheckpointError(
      .unsupported, "this directory has no optimizer state", remedy: .action(.omitOptimizer)
    ).framed(by: input.text)
  }

  func addTokenizer(
    of input: FilePath, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    guard try !plan.addTokenizer(at: options.tokenizer, or: input) else { return }
    plan.note(
      Notice("no tokenizer found", remedy: .action(.nameTokenizer)))
  }

  private static func notACheckpoint(_ input: FilePath) -> CheckpointError {
    CheckpointError(
      .unsupported,
      "this directory has neither a config.yaml with a model.pt or model.safetensors, nor a "
        + "config.json of OLMo-core",
      remedy: "pass the directory of one step, such as 'step1000-unsharded'"
    ).framed(by: input.text)
  }
}

extension OLMoToHuggingFace: DirectoryConversion {
  /// The options for the output directory.
  package var folder: DirectoryOptions {
    get { options.folder }
    set { options.folder = newValue }
  }

  /// Whether the settings are kept, and the weights have their bits.
  package var keepsEverything: Bool {
    options.translation.carriesRest && options.dtype == nil
  }

  /// Whether the files include an OLMo configuration and a model, or are those of a step of
  /// OLMo-core.
  package func takes(directoryHolding names: Set<String>) -> Bool {
    let hasModel = !names.isDisjoint(with: ["model.safetensors", "model.pt"])
    return names.contains(OLMoDirectory.configuration) && hasModel
      || names.isSuperset(of: [OLMoCoreDirectory.configuration, OLMoCoreDirectory.stepMetadata])
  }

  /// Returns the configuration, the states to include, and the tokenizer.
  ///
  /// - Throws: `inputOutput` if the directory or a named tokenizer does not exist.
  package func sources(of input: String) throws(CheckpointError) -> [String] {
    let place = FilePath(input)
    try DirectoryPlan.requireDirectory(place)
    if try OLMoCoreDirectory.isThere(place) {
      return try OLMoCoreDirectory.sources(in: place)
        + HuggingFaceFolder.tokenizer(at: options.tokenizer ?? input).map(\.path)
    }
    var paths = [place.appending(OLMoDirectory.configuration).text]
    paths += try FilePath.existing(PreservedConfig.names, in: place)
    paths += [try OLMoDirectory.file(of: "model", in: place)].compactMap(\.self)
    if options.carriesOptimizer {
      for state in ["optim", OLMoDirectory.trainer] {
        paths += [try OLMoDirectory.file(of: state, in: place)].compactMap(\.self)
      }
    }
    return paths + (try HuggingFaceFolder.tokenizer(at: options.tokenizer ?? input).map(\.path))
  }

  /// Compares a written model with the checkpoint, under the names of either trainer.
  ///
  /// - Throws: the errors of reading.
  package func verify(
    _ input: FilePath, _ written: String, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyReport {
    guard try !OLMoCoreDirectory.isThere(input) else {
      return try verifyCore(input, written, progress)
    }
    return try TranslatedComparison(
      olmo: input, huggingFace: FilePath(written), startsWithOLMo: true, options.folder.reading,
      options.folder.budget
    ).run(progress: progress)
  }
}

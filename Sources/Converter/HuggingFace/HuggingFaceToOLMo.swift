package import CkptBase
public import CkptCheckpoints
package import CkptCompare
package import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptPlan
internal import CkptSafetensors
internal import CkptSkeleton
internal import CkptTorch

/// Converts a Hugging Face model to the directory of an OLMo checkpoint that the trainer loads, or to
/// the model part of a checkpoint of OLMo-core.
public struct HuggingFaceToOLMo: Sendable {
  /// The caller's choices.
  public struct Options: Sendable {
    /// The options for the output directory.
    public var folder = DirectoryOptions()
    /// Whether to write the model part of a checkpoint of OLMo-core.
    public var targetsOLMoCore = false
    /// The format of the model and the optimizer state.
    public var format = CheckpointFormat.torch
    /// The dtype to cast weights to; `nil` keeps their bits.
    public var dtype: DType?
    /// A `config.yaml` with settings that `config.json` does not have; `nil` uses OLMo's official
    /// values.
    public var template: String?
    /// The parameter names in the optimizer state; `nil` keeps those of OLMo, otherwise uses names.
    public var optimizerNames: OptimizerNames?
    /// The location of the tokenizer; `nil` for the input.
    public var tokenizer: String?

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
  ///   - input: a directory that `save_pretrained` or ``OLMoToHuggingFace`` wrote.
  ///   - output: a new or empty directory.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the output files and the outcome of the configuration.
  /// - Throws: ``CheckpointError`` with the file, setting or tensor in its path: `unsupported` for
  ///   a model that OLMo's trainer cannot compute, `conflict` if files of the directory disagree.
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
    guard !options.targetsOLMoCore else { return try corePlan(input, output) }
    var plan = DirectoryPlan(output)
    let configPath = try configurationPath(in: input)
    let config = try HuggingFaceConfig(path: configPath)
    let template = try options.template.map { path throws(CheckpointError) in
      try OLMoConfig(path: path)
    }
    let vocabularySize = try TokenizerFile.vocabularySize(in: input)
    let (translation, map) = try CheckpointError.within(configPath) { () throws(CheckpointError) in
      let translation = try OLMoTranslation(
        config, template: template, vocabularySize: vocabularySize)
      return (translation, try TensorMap(of: translation.config.model))
    }
    try addModel(of: input, map, to: &plan)
    let hasOptimizer = try addOptimizer(of: input, map, to: &plan)
    let hasTrainer = try addTrainer(of: input, to: &plan)
    plan.add(
      OLMoDirectory.configuration, from: options.template ?? configPath,
      bytes: try translation.config.text())
    try addOrigin(of: input, config, to: &plan)
    plan.describe {
      $0.configuration = translation.report
      $0.trainerStart = TrainerStart(
        directory: output, resetsOptimizer: !hasOptimizer, resetsTrainer: !hasTrainer)
    }
    if let notice = OLMoDirectory.nameNotice(output) { plan.warn(notice) }
    let left = try FilePath.existing(HuggingFaceFolder.trainerFiles, in: input)
    if !left.isEmpty {
      let names = left.map { FilePath($0).name }.joined(separator: ", ")
      plan.note(Notice("not converted, because OLMo's trainer has no use for them: \(names)"))
    }
    return plan
  }

  /// Returns the path of the configuration of a model.
  ///
  /// - Throws: `unsupported` for a directory without one, `inputOutput` for a missing directory.
  func configurationPath(in input: FilePath) throws(CheckpointError) -> String {
    try DirectoryPlan.requireDirectory(input)
    let path = input.appending(HuggingFaceFolder.configuration)
    guard try path.status() != nil else {
      throw CheckpointError(
        .unsupported, "this directory has no config.json",
        remedy: "pass a directory that save_pretrained wrote"
      ).framed(by: input.text)
    }
    return path.text
  }

  // MARK: Tensors

  private func addModel(
    of input: FilePath, _ map: TensorMap, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    let source = try read(input.text)
    var whole = source
    whole.graph = try CheckpointError.within(input.text) { () throws(CheckpointError) in
      let tensors = try HuggingFaceTensors(
        of: source.graph, map, budget: options.folder.budget
      ).tensors
      return try OLMoNaming(map: map, budget: options.folder.budget).model(source.graph, tensors)
    }
    if let dtype = options.dtype { try whole.castTensors(to: dtype) }
    whole.container = nil
    let type = try CheckpointError.within(input.text) { () throws(CheckpointError) in
      try WeightType.only(of: whole.graph, &plan)
    }
    if type != .float32 {
      plan.warn(
        Notice(
          "weights are \(type.name); OLMo's trainer copies them into float32 parameters",
          remedy: .action(.castToFloat32)))
    }
    let restored = try restore(
      .model, map, whole, from: input.appending(HuggingFaceFolder.modelSkeleton), to: &plan)
    try add("model", restored, or: whole, from: input.text, source.warnings, to: &plan)
  }

  private func addOptimizer(
    of input: FilePath, _ map: TensorMap, to plan: inout DirectoryPlan
  ) throws(CheckpointError) -> Bool {
    let path = input.appending(HuggingFaceFolder.optimizer)
    guard try path.status() != nil else {
      guard options.optimizerNames != nil else { return false }
      throw OptimizerNames.nothingToName(
        "this directory has no \(HuggingFaceFolder.optimizer)"
      )
      .framed(by: input.text)
    }
    let source = try read(path.text)
    var whole = source
    whole.graph = try CheckpointError.within(path.text) { () throws(CheckpointError) in
      try OLMoNaming(map: map, budget: options.folder.budget).optimizer(source.graph)
    }
    whole.container = nil
    var restored = try restore(
      .optimizer, map, whole, from: input.appending(HuggingFaceFolder.optimizerSkeleton), to: &plan)
    if let names = options.optimizerNames {
      if var graph = restored?.graph {
        try names.apply(to: &graph)
        restored?.graph = graph
      }
      try names.apply(to: &whole.graph)
    }
    try add("optim", restored, or: whole, from: path.text, source.warnings, to: &plan)
    return true
  }

  /// Restores the original file from its skeleton and the tensors of the directory; `nil` without a
  /// skeleton, or if the tensors changed.
  private func restore(
    _ kind: OLMoSidecar.Kind, _ map: TensorMap, _ whole: Checkpoint, from path: FilePath,
    to plan: inout DirectoryPlan
  ) throws(CheckpointError) -> Checkpoint? {
    guard try path.status() != nil else { return nil }
    if kind == .model, options.dtype != nil { return nil }
    let document = try FileSource(path: path.text)
      .contents(of: "a skeleton", atMost: Limits.safetensorsHeaderBytes)
    let skeleton = OLMoSidecar(kind: kind, groupSize: map.dimensions.blockGroupSize)
    let restoration = try CheckpointError.within(path.text) { () throws(CheckpointError) in
      try skeleton.restore(
        document, tensorsOf: whole.graph, droppingUnsafe: options.folder.reading.dropsUnsafe)
    }
    switch restoration {
    case .whole(let checkpoint): return checkpoint
    case .changed(let reason):
      plan.warn("'\(path.text)' does not match the tensors and is not used: \(reason)")
      return nil
    }
  }

  func add(
    _ state: String, _ restored: Checkpoint?, or whole: Checkpoint, from path: String,
    _ warnings: [String], to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    let checkpoint = restored ?? whole
    let name = "\(state).\(options.format.fileExtension)"
    let warnings = warnings + checkpoint.warnings.filter { !warnings.contains($0) }
    try CheckpointError.within(path) { () throws(CheckpointError) in
      switch options.format {
      case .torch:
        let encoding = try TorchEncoder.encode(checkpoint, options: .init(prefix: state))
        plan.add(
          name, from: path, encoding.plan, format: .torch, tensorCount: encoding.tensorCount,
          aliasCount: encoding.aliasCount, warnings: warnings + encoding.warnings)
      case .safetensors:
        // The layout itself describes all of a newly made object.
        let encoding = try SafetensorsEncoder.encode(
          checkpoint,
          options: .init(layout: layout, includesSkeleton: restored != nil || layout == .plain))
        plan.add(
          name, from: path, encoding.plan, format: .safetensors, layout: layout,
          tensorCount: encoding.tensorCount, aliasCount: encoding.aliasCount,
          warnings: warnings + encoding.warnings)
      }
    }
  }

  /// The names in safetensors files: OLMo-core has plain ones.
  private var layout: Layout { options.targetsOLMoCore ? .plain : .olmo }

  private func read(_ path: String) throws(CheckpointError) -> Checkpoint {
    try CheckpointFile.read(path, options.folder.reading)
  }

  // MARK: Small files

  /// Adds the trainer state, which the trainer needs: the original one, or an empty dict.
  ///
  /// An empty dict is enough for a trainer that resets its state.
  private func addTrainer(
    of input: FilePath, to plan: inout DirectoryPlan
  ) throws(CheckpointError) -> Bool {
    let name = "\(OLMoDirectory.trainer).pt"
    let saved = input.appending(HuggingFaceFolder.trainer)
    if try saved.status() != nil {
      try plan.add(name, copyOf: saved.text)
      return true
    }
    var graph = TensorGraph()
    _ = graph.addEmptyRoot()
    let encoding = try TorchEncoder.encode(
      Checkpoint(named: graph), options: .init(prefix: OLMoDirectory.trainer))
    plan.add(name, from: input.text, encoding.plan)
    return false
  }

  /// Adds the files that OLMo has no place for: the tokenizer, and the original configuration
  /// unless it was translated from OLMo's.
  private func addOrigin(
    of input: FilePath, _ config: HuggingFaceConfig, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    if config[EmbeddedOLMoConfig.member] == nil {
      for name in [HuggingFaceFolder.configuration, HuggingFaceFolder.generation] {
        let file = input.appending(name)
        guard try file.status() != nil else { continue }
        try plan.add("\(PreservedConfig.directory)/\(name)", copyOf: file.text)
      }
    }
    _ = try plan.addTokenizer(at: options.tokenizer, or: input)
  }
}

extension HuggingFaceToOLMo: DirectoryConversion {
  /// The options for the output directory.
  package var folder: DirectoryOptions {
    get { options.folder }
    set { options.folder = newValue }
  }

  /// Whether the weights have their bits, and the optimizer state its names.
  package var keepsEverything: Bool {
    options.dtype == nil && options.optimizerNames == nil && !options.targetsOLMoCore
  }

  /// Whether the files include a Hugging Face configuration and weights.
  package func takes(directoryHolding names: Set<String>) -> Bool {
    names.contains(HuggingFaceFolder.configuration) && ModelFolder.holdsWeights(names)
  }

  /// Returns the configurations, the weights, the files of the trainer and the tokenizer.
  ///
  /// - Throws: `inputOutput` if the directory or a named tokenizer does not exist, and the errors
  ///   of reading the index of the weights.
  package func sources(of input: String) throws(CheckpointError) -> [String] {
    let place = FilePath(input)
    try DirectoryPlan.requireDirectory(place)
    var paths = [place.appending(HuggingFaceFolder.configuration).text]
    paths += try FilePath.existing(HuggingFaceFolder.companions, in: place)
    if let weights = try ModelFolder.weights(in: input) {
      paths += try ModelFolder.files(of: weights)
    }
    paths += [options.template].compactMap(\.self)
    // The vocabulary size always comes from the input, even if the tokenizer comes from elsewhere.
    let places = Set([input, options.tokenizer ?? input]).sorted()
    for place in places { paths += try HuggingFaceFolder.tokenizer(at: place).map(\.path) }
    return paths
  }

  /// Compares a written checkpoint with the model, under the names of either trainer.
  ///
  /// - Throws: the errors of reading.
  package func verify(
    _ input: FilePath, _ written: String, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyReport {
    guard !options.targetsOLMoCore else { return try verifyCore(input, written, progress) }
    return try TranslatedComparison(
      olmo: FilePath(written), huggingFace: input, startsWithOLMo: false, options.folder.reading,
      options.folder.budget
    ).run(progress: progress)
  }
}

extension Checkpoint {
  /// Creates a checkpoint for a state dict that was merged from others and is in no file.
  init(named graph: TensorGraph, warnings: [String] = []) {
    self.init(graph: graph, container: nil, warnings: warnings)
  }
}

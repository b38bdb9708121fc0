internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats
internal import CkptModels

// Checkpoints of OLMo-core: its names, its configuration, and its padded vocabulary.

extension OLMoToHuggingFace {
  /// Plans the conversion of a checkpoint of OLMo-core.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  func corePlan(_ input: FilePath, _ output: String) throws(CheckpointError) -> DirectoryPlan {
    var plan = DirectoryPlan(output)
    let source = try CoreSource(input, options)
    let type = try CheckpointError.within(source.directory.model.path) {
      () throws(CheckpointError) in
      try WeightType.only(of: source.model.graph, &plan)
    }
    try addShards(source.model, source.directory.model.path, to: &plan)

    var translationOptions = options.translation
    translationOptions.dtype = type.name
    let translation = try CheckpointError.within(source.configPath) {
      () throws(CheckpointError) in
      try HuggingFaceTranslation(source.config, translationOptions)
    }
    plan.add(
      HuggingFaceFolder.configuration, from: source.configPath,
      bytes: try translation.config.text())
    plan.add(
      HuggingFaceFolder.generation, from: source.configPath,
      bytes: try translation.generation.text())
    plan.describe { $0.configuration = translation.report }
    plan.note("the settings of OLMo-core's trainer were not converted")
    try addCoreOptimizer(of: source, input, to: &plan)
    try addTokenizer(of: input, to: &plan)
    // The input has states of the trainer that are not converted.
    plan.describe { $0.isPartial = true }
    return plan
  }

  private func addCoreOptimizer(
    of source: CoreSource, _ input: FilePath, to plan: inout DirectoryPlan
  ) throws(CheckpointError) {
    guard options.carriesOptimizer else {
      guard source.directory.optimizer != nil else { return }
      return plan.note(
        Notice("the optimizer state was not converted", remedy: .action(.includeOptimizer)))
    }
    guard let state = try source.optimizer() else { throw Self.noOptimizer(input) }
    try addOptimizer(state, source.directory.optimizer?.path ?? input.text, to: &plan)
  }

  /// Compares a written directory with the checkpoint of OLMo-core.
  ///
  /// - Throws: the errors of reading.
  func verifyCore(
    _ input: FilePath, _ written: String, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyReport {
    let source = try CoreSource(input, options)
    var parts = [(source.model, source.directory.model.path, written)]
    if options.carriesOptimizer, let optimizer = try source.optimizer() {
      parts.append(
        (
          optimizer, source.directory.optimizer?.path ?? input.text,
          FilePath(written).appending(HuggingFaceFolder.optimizer).text
        ))
    }
    return try compare(parts, of: input, written, progress)
  }
}

/// A checkpoint of OLMo-core under the names of Hugging Face.
private struct CoreSource {
  let configPath: String
  let config: OLMoCoreConfig
  let directory: OLMoCoreDirectory
  /// The model, cast as the caller wants it.
  let model: Checkpoint
  private let naming: CoreNaming

  init(
    _ input: FilePath, _ options: OLMoToHuggingFace.Options
  ) throws(CheckpointError) {
    configPath = input.appending(OLMoCoreDirectory.configuration).text
    config = try OLMoCoreConfig(path: configPath)
    directory = try OLMoCoreDirectory(reading: input, options.folder.reading)
    let map = try CheckpointError.within(configPath) { [config] () throws(CheckpointError) in
      try TensorMap(of: config.model)
    }
    naming = CoreNaming(
      map: map, rowCount: options.translation.keepsVocabulary ? nil : config.model.vocabularySize,
      budget: options.folder.budget)
    var model = directory.model.checkpoint
    model.graph = try CheckpointError.within(directory.model.path) {
      [naming, model] () throws(CheckpointError) in
      try naming.huggingFace(model: model.graph)
    }
    if let dtype = options.dtype { try model.castTensors(to: dtype) }
    self.model = model
  }

  func optimizer() throws(CheckpointError) -> Checkpoint? {
    guard var state = directory.optimizer?.checkpoint, let path = directory.optimizer?.path else {
      return nil
    }
    state.graph = try CheckpointError.within(path) { [state] () throws(CheckpointError) in
      try naming.huggingFace(optimizer: state.graph)
    }
    return state
  }
}

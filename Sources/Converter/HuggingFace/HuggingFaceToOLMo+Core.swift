internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats
internal import CkptModels

// The model part of a checkpoint of OLMo-core: a model file and its configuration.

extension HuggingFaceToOLMo {
  /// Plans the conversion to the files of OLMo-core.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  func corePlan(_ input: FilePath, _ output: String) throws(CheckpointError) -> DirectoryPlan {
    var plan = DirectoryPlan(output)
    let configPath = try configurationPath(in: input)
    let target = try CoreTarget(input, configPath, options)
    _ = try CheckpointError.within(input.text) { () throws(CheckpointError) in
      try WeightType.only(of: target.model.graph, &plan)
    }
    try add("model", nil, or: target.model, from: input.text, [], to: &plan)
    if let optimizer = target.optimizer {
      let path = input.appending(HuggingFaceFolder.optimizer).text
      try add("optim", nil, or: optimizer, from: path, [], to: &plan)
    }
    plan.add(OLMoCoreDirectory.configuration, from: configPath, bytes: target.translation.text)
    _ = try plan.addTokenizer(at: options.tokenizer, or: input)
    plan.describe { $0.configuration = target.translation.report }
    return plan
  }

  /// Compares a written directory with the Hugging Face model.
  ///
  /// - Throws: the errors of reading.
  func verifyCore(
    _ input: FilePath, _ written: String, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyReport {
    let target = try CoreTarget(input, configurationPath(in: input), options)
    func part(_ state: String, _ contents: Checkpoint) -> (Checkpoint, String, String) {
      let file = FilePath(written).appending("\(state).\(options.format.fileExtension)")
      return (contents, input.text, file.text)
    }
    return try compare(
      [part("model", target.model)]
        + [target.optimizer].compactMap(\.self).map { part("optim", $0) },
      of: input, written, progress)
  }
}

/// A Hugging Face model under the names of OLMo-core.
private struct CoreTarget {
  let translation: OLMoCoreTranslation
  let model: Checkpoint
  let optimizer: Checkpoint?

  init(
    _ input: FilePath, _ configPath: String, _ options: HuggingFaceToOLMo.Options
  ) throws(CheckpointError) {
    let config = try HuggingFaceConfig(path: configPath)
    let vocabularySize = try TokenizerFile.vocabularySize(in: input)
    let (translation, map) = try CheckpointError.within(configPath) {
      () throws(CheckpointError) in
      let translation = try OLMoCoreTranslation(config, vocabularySize: vocabularySize)
      return (translation, try TensorMap(of: translation.model))
    }
    self.translation = translation
    let naming = CoreNaming(map: map, budget: options.folder.budget)

    var model = try CheckpointFile.read(input.text, options.folder.reading)
    model.graph = try CheckpointError.within(input.text) { [model] () throws(CheckpointError) in
      let tensors = try HuggingFaceTensors(
        of: model.graph, map, budget: options.folder.budget
      ).tensors
      return try naming.core(model: model.graph, tensors)
    }
    model.container = nil
    if let dtype = options.dtype { try model.castTensors(to: dtype) }
    self.model = model

    let path = input.appending(HuggingFaceFolder.optimizer)
    guard try path.status() != nil else {
      optimizer = nil
      return
    }
    var optimizer = try CheckpointFile.read(path.text, options.folder.reading)
    optimizer.graph = try CheckpointError.within(path.text) {
      [optimizer] () throws(CheckpointError) in
      try naming.core(optimizer: optimizer.graph)
    }
    optimizer.container = nil
    self.optimizer = optimizer
  }
}

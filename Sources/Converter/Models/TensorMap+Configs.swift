public import CkptBase

extension TensorMap {
  /// The tensors of the model that a `config.yaml` describes, on both sides.
  ///
  /// ``TensorMap/olmo`` has what OLMo's trainer saves of it, in its order.
  ///
  /// - Throws: `unsupported` for a model that Hugging Face has no class for, `malformed` and
  ///   `limitExceeded` for sizes that no model has.
  public init(of model: OLMoModelConfig) throws(CheckpointError) {
    let table: NameTable =
      switch (try Architecture(of: model), model.block) {
      case (.olmo, .sequential): .olmo1
      case (.olmo, .llama): .olmo1LlamaBlocks
      case (.olmo2, _): .olmo2
      case (.llama, .sequential): .llama
      case (.llama, .llama): .llamaBlocks
      }
    let (keys, overflow) = model.headSize.multipliedReportingOverflow(by: model.keyValueHeadCount)
    var dimensions = ModelDimensions(
      vocabulary: model.embeddingCount, hidden: model.hiddenSize, keys: overflow ? .max : keys,
      feedForward: model.feedForwardRowCount / 2, layers: model.layerCount)
    dimensions.isTied = model.isTied
    dimensions.normsHaveWeights = model.normsHaveWeights
    dimensions.queryKeyNormsHaveWeights = model.queryKeyNormsHaveWeights
    dimensions.blockGroupSize = model.blockGroupSize
    try self.init(table, dimensions)
  }
}

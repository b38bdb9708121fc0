package import CkptBase
internal import CkptYAML

/// A class of `transformers` for models of OLMo's trainer or OLMo-core.
@nonexhaustive
public enum Architecture: String, CaseIterable, Sendable {
  /// Norms without weights, before the attention and feed-forward layers.
  case olmo = "OlmoForCausalLM"
  /// RMS norms after these layers, and for queries and keys.
  case olmo2 = "Olmo2ForCausalLM"
  /// The same, with sliding attention windows in some layers; only OLMo-core trains it.
  case olmo3 = "Olmo3ForCausalLM"
  /// RMS norms before these layers.
  case llama = "LlamaForCausalLM"

  /// The `model_type` in a `config.json`.
  public var modelType: String {
    switch self {
    case .olmo: "olmo"
    case .olmo2: "olmo2"
    case .olmo3: "olmo3"
    case .llama: "llama"
    }
  }

  /// Chooses the class that computes the same as OLMo with `model`.
  ///
  /// - Throws: `unsupported`, with the fields that decide it, if there is none.
  package init(of model: OLMoModelConfig) throws(CheckpointError) {
    let isRMS = model.norm == .rms
    switch (isRMS, model.normalizesQueriesAndKeys, model.normalizesAfterward) {
    case (true, true, true) where model.block == .sequential:
      self = model.slidingWindow == nil ? .olmo2 : .olmo3
    case _ where model.slidingWindow != nil:
      throw CheckpointError(
        .unsupported,
        "only Olmo3ForCausalLM has sliding attention windows, and it normalizes queries, keys and "
          + "the outputs of its layers")
    case (false, false, false): self = .olmo
    case (true, false, false): self = .llama
    default:
      throw CheckpointError(
        .unsupported,
        "no Hugging Face class has 'layer_norm_type' \(model.norm.rawValue), "
          + "'attention_layer_norm' \(model.normalizesQueriesAndKeys), 'norm_after' "
          + "\(model.normalizesAfterward) and 'block_type' \(model.block.rawValue) together")
    }
  }

  /// Chooses the class that a `config.json` names.
  ///
  /// - Throws: `unsupported` for a class that neither OLMo's trainer nor OLMo-core has a model for.
  package init(of config: HuggingFaceConfig) throws(CheckpointError) {
    let type = config["model_type"]?.scalar?.description
    let name = config["architectures"]?.sequence?.first?.scalar?.description
    let found = Self.allCases.first { $0.modelType == type || type == nil && $0.rawValue == name }
    try Self.requireTransformers(config)
    guard let found else {
      throw CheckpointError(
        .unsupported,
        "'model_type' is \(type ?? "missing"); the supported types are olmo, olmo2, olmo3 and llama"
      )
    }
    self = found
  }

  /// Checks that `config` is one of transformers, not of another program that uses the same file
  /// name.
  ///
  /// All members of such a file would seem to be missing.
  private static func requireTransformers(_ config: HuggingFaceConfig) throws(CheckpointError) {
    if config["train_module"] != nil || config["model"]?.mapping != nil {
      throw CheckpointError(
        .unsupported, "this is a configuration of OLMo-core",
        remedy: "pass the directory of its step to olmo-to-hf")
    }
    if config["d_model"] != nil {
      throw CheckpointError(
        .unsupported, "this is a configuration of the package hf_olmo (it has 'd_model')",
        remedy: "its members are the fields of the 'model:' section of OLMo's config.yaml")
    }
  }
}

package import CkptBase
internal import CkptYAML

/// The classes of `transformers` that models of OLMo's trainer fit.
@nonexhaustive
public enum Architecture: String, CaseIterable, Sendable {
  /// Norms without weights before attention and feed-forward layers.
  case olmo = "OlmoForCausalLM"
  /// RMS norms after them, and of queries and keys.
  case olmo2 = "Olmo2ForCausalLM"
  /// RMS norms before them.
  case llama = "LlamaForCausalLM"

  /// `model_type` in a `config.json`.
  public var modelType: String {
    switch self {
    case .olmo: "olmo"
    case .olmo2: "olmo2"
    case .llama: "llama"
    }
  }

  /// The class that computes what OLMo computes with `model`.
  ///
  /// - Throws: `unsupported` when there is none, naming the fields that decide it.
  package init(of model: OLMoModelConfig) throws(CheckpointError) {
    let isRMS = model.norm == .rms
    switch (isRMS, model.normalisesQueriesAndKeys, model.normalisesAfterward) {
    case (true, true, true) where model.block == .sequential: self = .olmo2
    case (false, false, false): self = .olmo
    case (true, false, false): self = .llama
    default:
      throw CheckpointError(
        .unsupported,
        "no Hugging Face class has 'layer_norm_type' \(model.norm.rawValue), "
          + "'attention_layer_norm' \(model.normalisesQueriesAndKeys), 'norm_after' "
          + "\(model.normalisesAfterward) and 'block_type' \(model.block.rawValue) together")
    }
  }

  /// The class that a `config.json` names.
  ///
  /// - Throws: `unsupported` when it is none that OLMo's trainer has a model for.
  package init(of config: HuggingFaceConfig) throws(CheckpointError) {
    let type = config["model_type"]?.scalar?.description
    let name = config["architectures"]?.sequence?.first?.scalar?.description
    let found = Self.allCases.first { $0.modelType == type || type == nil && $0.rawValue == name }
    try Self.requireTransformers(config)
    guard let found else {
      throw CheckpointError(
        .unsupported,
        "'model_type' is \(type ?? "missing"); OLMo's trainer has models for olmo, olmo2 and llama",
        remedy: type == "olmo3" || type == "olmoe" ? "these models are trained by OLMo-core" : nil)
    }
    self = found
  }

  /// Makes sure that `config` is one of transformers' own and not of another program with files of
  /// that name, whose members would all seem to be missing.
  private static func requireTransformers(_ config: HuggingFaceConfig) throws(CheckpointError) {
    if config["train_module"] != nil || config["model"]?.mapping != nil {
      throw CheckpointError(
        .unsupported, "this is a configuration of OLMo-core",
        remedy: "OLMo-core has its own converter to Hugging Face's")
    }
    if config["d_model"] != nil {
      throw CheckpointError(
        .unsupported, "this is a configuration of the package hf_olmo: it has 'd_model'",
        remedy: "its members are those of the 'model:' section of OLMo's config.yaml")
    }
  }
}

package import CkptBase
internal import CkptYAML

/// The translation of a configuration of OLMo or OLMo-core to Hugging Face.
public struct HuggingFaceTranslation: Sendable {
  /// The caller's choices.
  public struct Options: Hashable, Sendable {
    /// The dtype of the weights: `float32`, `bfloat16` or `float16`.
    public var dtype = "float32"
    /// Whether an end-of-text token 0 is kept (see `Documentation/config-translation.md`).
    public var keepsEndOfText = false
    /// Whether OLMo's own settings are kept for the way back.
    public var carriesRest = true
    /// Whether the embedding of an OLMo-core model keeps the rows beyond the tokenizer's vocabulary.
    public var keepsVocabulary = false

    /// Creates the default options.
    public init() {}
  }

  /// The class that computes the same as OLMo.
  package let architecture: Architecture
  /// `config.json`.
  package let config: HuggingFaceConfig
  /// `generation_config.json`.
  package let generation: HuggingFaceConfig
  /// The outcome of every field.
  package let report: FieldReport

  /// The version of transformers whose style members have.
  ///
  /// Later versions read it too. In contrast, 4.48 and 4.57 silently use 10000 for the `rope_theta`
  /// of a file of version 5.
  static let transformersVersion = "4.48.3"
  private static let firstVersionWithOLMo3 = "4.57.0"

  /// Translates `config`.
  ///
  /// - Throws: `unsupported`, with the field and the reason, for a model that no class can
  ///   represent; `malformed` for an impossible model; `lossy` for values that JSON cannot hold.
  package init(_ config: OLMoConfig, _ options: Options = Options()) throws(CheckpointError) {
    var context = TranslationContext(tokenizer: config.tokenizer)
    context.keepsEndOfText = options.keepsEndOfText
    let model = config.model
    let architecture = try CheckpointError.within("model") { () throws(CheckpointError) in
      try model.requireConsistent()
      return try Architecture(of: model)
    }
    let table = FieldTable.of(architecture)
    for row in table.rows {
      try CheckpointError.within("model") { () throws(CheckpointError) in
        try Self.requireFit(row, config, architecture)
      }
    }
    var translation = Self.members(of: model, by: table, context, options)

    let carried = EmbeddedOLMoConfig(config, returning: try table.model(of: translation))
    if options.carriesRest { translation[EmbeddedOLMoConfig.member] = carried.value }

    self.architecture = architecture
    self.config = translation
    generation = Self.generation(of: translation)
    report = FieldReport(
      of: config, as: translation, by: table, carrying: options.carriesRest ? carried : nil)
  }

  /// Translates `config`, a configuration of OLMo-core.
  ///
  /// The number of embedding rows is that of the tokenizer, unless `options` keep all.
  ///
  /// - Throws: `unsupported`, with the field and the reason, for a model that no class can
  ///   represent; `malformed` for an impossible model.
  package init(_ config: OLMoCoreConfig, _ options: Options = Options()) throws(CheckpointError) {
    var model = config.model
    if !options.keepsVocabulary { model["embedding_size"] = .integer(model.vocabularySize) }
    var context = TranslationContext()
    context.keepsEndOfText = true
    try model.requireConsistent()
    architecture = try Architecture(of: model)
    let table = FieldTable.of(architecture)
    for row in table.rows { try row.requireFit(of: model, to: architecture) }
    var translation = Self.members(of: model, by: table, context, options)
    if let token = config.beginningOfText { translation["bos_token_id"] = YAMLValue(token) }
    self.config = translation
    var generation = Self.generation(of: translation)
    // OLMo-core's own converter says so (`save_hf_model` in `olmo_core/nn/hf/checkpoint.py`).
    generation["do_sample"] = YAMLValue(.bool(true))
    self.generation = generation
    report = FieldReport(of: config, as: translation, by: table)
  }

  /// Returns the members of a `config.json`, sorted by name.
  private static func members(
    of model: OLMoModelConfig, by table: FieldTable, _ context: TranslationContext,
    _ options: Options
  ) -> HuggingFaceConfig {
    var members: [String: YAMLValue] = [
      "architectures": YAMLValue(
        .sequence([YAMLValue(.string(table.architecture.rawValue))])),
      "model_type": YAMLValue(.string(table.architecture.modelType)),
      "torch_dtype": YAMLValue(.string(options.dtype)),
      "transformers_version": YAMLValue(
        .string(table.architecture == .olmo3 ? firstVersionWithOLMo3 : transformersVersion)),
    ]
    for row in table.rows {
      guard let name = row.huggingFace, let value = row.huggingFaceValue(of: model, context)
      else { continue }
      members[name] = value
    }
    var config = HuggingFaceConfig()
    for (name, value) in members.sorted(by: { $0.key < $1.key }) { config[name] = value }
    return config
  }

  private static func requireFit(
    _ row: FieldRow, _ config: OLMoConfig, _ architecture: Architecture
  ) throws(CheckpointError) {
    do {
      try row.requireFit(of: config.model, to: architecture)
    } catch {
      guard let field = row.olmo.first else { throw error }
      if let place = config.place(of: field) { throw error.framed(by: place.description) }
      var error = error
      error.remedy = "the field is missing; its default in OLMo is \(config.model[field])"
      throw error
    }
  }

  /// Returns the tokens for generation, which `save_pretrained` writes beside a model.
  private static func generation(of config: HuggingFaceConfig) -> HuggingFaceConfig {
    var generation = HuggingFaceConfig()
    generation["_from_model_config"] = YAMLValue(.bool(true))
    for name in ["eos_token_id", "pad_token_id", "transformers_version"] {
      generation[name] = config[name]
    }
    return generation
  }
}

package import CkptBase
package import CkptYAML

/// A `config.yaml` of OLMo's trainer: the shape of the model, and all other settings.
package struct OLMoConfig: Hashable, Sendable {
  /// The shape of the model.
  package var model: OLMoModelConfig
  /// The whole document as it was read, including the section that ``model`` was read from.
  package var document: YAMLMapping

  /// Parses the text of a `config.yaml`.
  ///
  /// - Throws: `malformed` for text that is not YAML, has no `model:` section or an invalid value
  ///   in it; `unsupported` for an unknown field or an interpolation in that section.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    guard let document = try YAMLValue(reading: bytes).mapping,
      let section = document["model"]?.mapping
    else {
      throw CheckpointError(
        .malformed, "this is not an OLMo configuration: it has no 'model:' section",
        remedy: "pass the config.yaml of an OLMo checkpoint")
    }
    self.document = document
    model = try CheckpointError.within("model") { () throws(CheckpointError) in
      try OLMoModelConfig(reading: section)
    }
  }

  /// Reads the `config.yaml` at `path`.
  ///
  /// - Throws: the same errors, and `inputOutput` if the file cannot be read.
  package init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try OLMoConfig(reading: bytes)
    }
  }

  /// Creates a configuration of `model`, which replaces the `model:` section of `document`.
  package init(model: OLMoModelConfig, in document: YAMLMapping) {
    self.model = model
    self.document = document
    self.document["model"] = YAMLValue(.mapping(model.section))
  }

  /// Returns the text of the document in the style of OmegaConf.
  ///
  /// - Throws: `inputOutput` if there is no memory.
  package func text() throws(CheckpointError) -> [UInt8] {
    try YAMLValue(.mapping(document)).document()
  }

  /// The tokenizer that the model was trained with (`tokenizer.identifier`).
  package var tokenizer: String? { Self.tokenizer(of: document) }

  static func tokenizer(of document: YAMLMapping) -> String? {
    guard case .string(let name) = document["tokenizer"]?.mapping?["identifier"]?.scalar else {
      return nil
    }
    return name
  }

  /// Returns the position of a field of the `model:` section.
  package func place(of field: String) -> YAMLPlace? {
    document["model"]?.mapping?[field]?.place
  }
}

/// OLMo's own settings in a `config.json`.
///
/// They are in one member, `ckptconv`, which `transformers` keeps and ignores: `{"version": 1,
/// "olmo": {...}}`. The object is OLMo's `config.yaml`. Its `model:` section has only the fields
/// that the other members cannot restore.
package struct EmbeddedOLMoConfig {
  /// The name of the member.
  package static let member = "ckptconv"
  private static let version = 1

  /// OLMo's document, with the remaining fields of its `model:` section.
  let document: YAMLMapping

  /// Collects the settings of `config` that are needed to restore it, if the other members give
  /// `returning`.
  init(_ config: OLMoConfig, returning: OLMoModelConfig) {
    var section = YAMLMapping()
    for field in OLMoField.all where config.model[field.name] != returning[field.name] {
      section[field.name] = YAMLValue(config.model[field.name])
    }
    var document = config.document
    document["model"] = YAMLValue(.mapping(section))
    self.document = document
  }

  /// Reads the settings in `config`; `nil` if there are none.
  ///
  /// - Throws: `malformed` for a member that this program does not write, `unsupported` for a later
  ///   version.
  init?(in config: HuggingFaceConfig) throws(CheckpointError) {
    guard let value = config[Self.member] else { return nil }
    guard let member = value.mapping, case .integer(let version) = member["version"]?.scalar,
      let document = member["olmo"]?.mapping
    else {
      throw CheckpointError(
        .malformed, "'\(Self.member)' does not have the form that this program writes",
        remedy: "remove it from config.json to continue without it")
    }
    guard version == Self.version else {
      throw CheckpointError(
        .unsupported,
        "'\(Self.member)' has version \(version); the only known one is \(Self.version)",
        remedy: "use the version of ckptconv that wrote it, or a later one")
    }
    self.document = document
  }

  /// The names of the kept fields of the `model:` section.
  var fields: YAMLMapping { document["model"]?.mapping ?? YAMLMapping() }

  /// The value of the member.
  var value: YAMLValue {
    var member = YAMLMapping()
    member["version"] = YAMLValue(.integer(Self.version))
    member["olmo"] = YAMLValue(.mapping(document))
    return YAMLValue(.mapping(member))
  }
}

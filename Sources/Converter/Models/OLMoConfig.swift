package import CkptBase
package import CkptYAML

/// A `config.yaml` of OLMo's trainer: the model's shape, and everything else as it stands there.
package struct OLMoConfig: Hashable, Sendable {
  /// The shape of the model.
  package var model: OLMoModelConfig
  /// The whole document as it was read; its `model:` section is what ``model`` was read from.
  package var document: YAMLMapping

  /// Reads the text of a `config.yaml`.
  ///
  /// - Throws: `malformed` where it is not YAML, has no `model:` section or has a wrong value in it;
  ///   `unsupported` for a field or an interpolation there that cannot be understood.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    guard let document = try YAMLValue(reading: bytes).mapping,
      let section = document["model"]?.mapping
    else {
      throw CheckpointError(
        .malformed, "there is no 'model:' section, which an OLMo configuration has",
        remedy: "give the config.yaml of an OLMo checkpoint")
    }
    self.document = document
    model = try CheckpointError.within("model") { () throws(CheckpointError) in
      try OLMoModelConfig(reading: section)
    }
  }

  /// Reads the `config.yaml` at `path`.
  ///
  /// - Throws: as above, and `inputOutput` when the file cannot be read.
  package init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try OLMoConfig(reading: bytes)
    }
  }

  /// A configuration of `model` within `document`, whose `model:` section it replaces.
  package init(model: OLMoModelConfig, in document: YAMLMapping) {
    self.model = model
    self.document = document
    self.document["model"] = YAMLValue(.mapping(model.section))
  }

  /// The text of the document, as OmegaConf would write it.
  ///
  /// - Throws: `inputOutput` when memory runs out.
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

  /// Where a field of the `model:` section stands.
  package func place(of field: String) -> YAMLPlace? {
    document["model"]?.mapping?[field]?.place
  }
}

/// What only OLMo knows, on its way through a `config.json`.
///
/// It stands under one member, `ckptconv`, which `transformers` keeps and ignores:
/// `{"version": 1, "olmo": {...}}`. Inside is the document of OLMo's `config.yaml`, of whose `model:`
/// section only those fields are left that the other members would not give back as they were.
package struct EmbeddedOLMoConfig {
  /// The member's name.
  package static let member = "ckptconv"
  private static let version = 1

  /// OLMo's document, with what is left of its `model:` section.
  let document: YAMLMapping

  /// What has to travel for `config` to come back, if the rest comes back as `returning`.
  init(_ config: OLMoConfig, returning: OLMoModelConfig) {
    var section = YAMLMapping()
    for field in OLMoField.all where config.model[field.name] != returning[field.name] {
      section[field.name] = YAMLValue(config.model[field.name])
    }
    var document = config.document
    document["model"] = YAMLValue(.mapping(section))
    self.document = document
  }

  /// What travelled in `config`; `nil` if nothing did.
  ///
  /// - Throws: `malformed` if the member is not as this program writes it, `unsupported` if it is of
  ///   a later version.
  init?(in config: HuggingFaceConfig) throws(CheckpointError) {
    guard let value = config[Self.member] else { return nil }
    guard let member = value.mapping, case .integer(let version) = member["version"]?.scalar,
      let document = member["olmo"]?.mapping
    else {
      throw CheckpointError(
        .malformed, "'\(Self.member)' is not what this program writes",
        remedy: "remove it from config.json to go without it")
    }
    guard version == Self.version else {
      throw CheckpointError(
        .unsupported, "'\(Self.member)' has version \(version); version \(Self.version) is known",
        remedy: "use the ckptconv that wrote it, or a later one")
    }
    self.document = document
  }

  /// The names of the fields of the `model:` section that travelled.
  var fields: YAMLMapping { document["model"]?.mapping ?? YAMLMapping() }

  /// The member's value.
  var value: YAMLValue {
    var member = YAMLMapping()
    member["version"] = YAMLValue(.integer(Self.version))
    member["olmo"] = YAMLValue(.mapping(document))
    return YAMLValue(.mapping(member))
  }
}

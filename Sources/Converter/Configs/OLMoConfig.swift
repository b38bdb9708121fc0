public import Bytes
public import YAML

/// A `config.yaml` of OLMo's trainer: the model's shape, and everything else as it stands there.
public struct OLMoConfig: Hashable, Sendable {
  /// The shape of the model.
  public var model: OLMoModelConfig
  /// The whole document as it was read; its `model:` section is what ``model`` was read from.
  public var document: YAMLMapping

  /// Reads the text of a `config.yaml`.
  ///
  /// - Throws: `malformed` where it is not YAML, has no `model:` section or has a wrong value in it;
  ///   `unsupported` for a field or an interpolation there that cannot be understood.
  public init(reading bytes: [UInt8]) throws(FormatError) {
    guard let document = try YAMLValue(reading: bytes).mapping,
      let section = document["model"]?.mapping
    else {
      throw FormatError(
        .malformed, "there is no 'model:' section, which an OLMo configuration has",
        hint: "give the config.yaml of an OLMo checkpoint")
    }
    self.document = document
    model = try FormatError.within("model") { () throws(FormatError) in
      try OLMoModelConfig(reading: section)
    }
  }

  /// Reads the `config.yaml` at `path`.
  ///
  /// - Throws: as above, and `inputOutput` when the file cannot be read.
  public init(path: String) throws(FormatError) {
    let bytes = try SourceFile.open(path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    self = try FormatError.within(path) { () throws(FormatError) in
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
  public func text() throws(FormatError) -> [UInt8] {
    try YAMLValue(.mapping(document)).document()
  }

  /// The tokenizer that the model was trained with (`tokenizer.identifier`).
  public var tokenizer: String? { Self.tokenizer(of: document) }

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

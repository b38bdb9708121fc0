internal import Bytes
internal import YAML

/// What only OLMo knows, on its way through a `config.json`.
///
/// It stands under one member, `ckptconv`, which `transformers` keeps and ignores:
/// `{"version": 1, "olmo": {...}}`. Inside is the document of OLMo's `config.yaml`, of whose `model:`
/// section only those fields are left that the other members would not give back as they were.
package struct CarriedConfig {
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
  init?(in config: HuggingFaceConfig) throws(FormatError) {
    guard let value = config[Self.member] else { return nil }
    guard let member = value.mapping, case .integer(let version) = member["version"]?.scalar,
      let document = member["olmo"]?.mapping
    else {
      throw FormatError(
        .malformed, "'\(Self.member)' is not what this program writes",
        hint: "remove it from config.json to go without it")
    }
    guard version == Self.version else {
      throw FormatError(
        .unsupported, "'\(Self.member)' has version \(version); version \(Self.version) is known",
        hint: "use the ckptconv that wrote it, or a later one")
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

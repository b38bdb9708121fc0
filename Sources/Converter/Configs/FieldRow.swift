internal import Bytes
package import YAML

/// One line of a ``FieldTable``: what fields of the two sides have to do with each other.
///
/// A row is read in both directions.
package struct FieldRow: Sendable {
  /// How the two sides determine each other.
  package enum Rule: Sendable {
    /// The values are equal. Where Hugging Face's member is missing, its class takes `missing`.
    case same(missing: YAMLScalar)
    /// One side follows from the other by a formula.
    case derived(Derivation)
    /// The class has OLMo's field built in: other values than those that `permits` are refused, and
    /// on the way back the field is `value`.
    case implied(YAMLScalar, permits: @Sendable (OLMoModelConfig) -> Bool, reason: String)
    /// OLMo has the member built in: it is written as `value` if there is one, and a configuration
    /// that `permits` refuses has no counterpart.
    case fixed(YAMLScalar?, permits: @Sendable (HuggingFaceConfig) -> Bool, reason: String)
    /// The field does not change what the model computes, and only OLMo has it; `official` is what
    /// OLMo's own configurations say.
    case onlyOLMo(official: YAMLScalar, note: String)
    /// The member does not change what the model computes, and only Hugging Face has it; it is
    /// written as `value` if there is one.
    case onlyHuggingFace(YAMLScalar?, note: String)
  }

  /// A formula in both directions.
  package struct Derivation: Sendable {
    /// The formula for Hugging Face's member, for people.
    package let formula: String
    /// The formula for OLMo's fields, for people.
    package let inverse: String
    /// The member that follows from the model.
    let toHuggingFace: @Sendable (OLMoModelConfig, TranslationContext) -> YAMLScalar
    /// Sets the fields that follow from the member, of which `nil` means that it is missing.
    ///
    /// - Throws: `unsupported` for a member that no model of OLMo has.
    let toOLMo: @Sendable (HuggingFaceConfig, inout OLMoModelConfig) throws(FormatError) -> Void
  }

  /// OLMo's fields, in the order of their importance; they are in no other row.
  package let olmo: [String]
  /// Hugging Face's member.
  package let huggingFace: String?
  /// What they have to do with each other.
  package let rule: Rule

  package init(_ olmo: [String], _ huggingFace: String?, _ rule: Rule) {
    self.olmo = olmo
    self.huggingFace = huggingFace
    self.rule = rule
  }
}

extension FieldRow {
  /// A row of two fields that say the same.
  static func same(_ olmo: String, _ huggingFace: String, missing: YAMLScalar) -> FieldRow {
    FieldRow([olmo], huggingFace, .same(missing: missing))
  }

  /// A row of a field that must have one value for the class to fit.
  static func implied(_ olmo: String, _ value: YAMLScalar, _ reason: String) -> FieldRow {
    FieldRow([olmo], nil, .implied(value, permits: { $0[olmo] == value }, reason: reason))
  }

  /// A row of a member that must have one value for OLMo to have such a model.
  static func fixed(_ huggingFace: String, _ value: YAMLScalar, _ reason: String) -> FieldRow {
    FieldRow(
      [], huggingFace,
      .fixed(value, permits: { ($0[huggingFace]?.scalar ?? value) == value }, reason: reason))
  }

  /// A row of a field that the class has no use for.
  static func onlyOLMo(_ olmo: String, _ official: YAMLScalar, _ note: String) -> FieldRow {
    FieldRow([olmo], nil, .onlyOLMo(official: official, note: note))
  }

  /// A row of a member that OLMo has no use for.
  static func onlyHuggingFace(
    _ huggingFace: String, _ value: YAMLScalar?, _ note: String
  ) -> FieldRow {
    FieldRow([], huggingFace, .onlyHuggingFace(value, note: note))
  }
}

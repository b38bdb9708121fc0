/// What some formulas need to know beside the model.
package struct TranslationContext: Sendable {
  /// The name of the tokenizer, if the configuration has one.
  package var tokenizer: String?
  /// Whether an end-of-text token 0 is taken as it stands.
  package var keepsEndOfText = false
}

/// A step through a document, as libyaml takes it.
enum YAMLEvent: Sendable {
  /// What may stand before any value.
  struct Properties: Sendable {
    /// The name behind `&`, by which aliases repeat the value.
    var anchor: String?
    /// The kind that `!!kind` demands, in its long form.
    var tag: String?
  }

  case streamStart
  case documentStart
  case documentEnd
  case streamEnd
  case alias(String)
  /// A single value; `isPlain` where it stands without quotes.
  case scalar(String, isPlain: Bool, Properties)
  case sequenceStart(Properties)
  case sequenceEnd
  case mappingStart(Properties)
  case mappingEnd
}

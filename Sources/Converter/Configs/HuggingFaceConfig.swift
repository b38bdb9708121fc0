public import Bytes
public import YAML

/// A `config.json` of a Hugging Face model, with its members in their order.
public struct HuggingFaceConfig: Hashable, Sendable {
  /// All members.
  public var members: YAMLMapping

  /// A configuration of these members.
  public init(_ members: YAMLMapping = YAMLMapping()) { self.members = members }

  /// Reads the text of a `config.json`.
  ///
  /// - Throws: `malformed` where it is not a JSON object, or has a name twice.
  public init(reading bytes: [UInt8]) throws(FormatError) {
    guard let members = try YAMLValue(readingJSON: bytes).mapping else {
      throw FormatError(.malformed, "the text is no JSON object")
    }
    self.members = members
  }

  /// Reads the `config.json` at `path`.
  ///
  /// - Throws: as above, and `inputOutput` when the file cannot be read.
  public init(path: String) throws(FormatError) {
    let bytes = try SourceFile.open(path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    self = try FormatError.within(path) { () throws(FormatError) in
      try HuggingFaceConfig(reading: bytes)
    }
  }

  /// The text as `transformers` lays it out.
  ///
  /// - Throws: `lossy` for what JSON does not have: names that are not text, infinities and NaN.
  public func text() throws(FormatError) -> [UInt8] {
    try YAMLValue(.mapping(members)).json()
  }

  /// The value of a member, or `nil` where there is none.
  public subscript(name: String) -> YAMLValue? {
    get { members[name] }
    set { members[name] = newValue }
  }
}

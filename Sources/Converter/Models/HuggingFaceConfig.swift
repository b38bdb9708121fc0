package import CkptBase
package import CkptYAML

/// A `config.json` of a Hugging Face model, with its members in order.
package struct HuggingFaceConfig: Hashable, Sendable {
  /// All members.
  package var members: YAMLMapping

  /// Creates a configuration with these members.
  package init(_ members: YAMLMapping = YAMLMapping()) { self.members = members }

  /// Parses the text of a `config.json`.
  ///
  /// - Throws: `malformed` for text that is not a JSON object, or that repeats a name.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    guard let members = try YAMLValue(readingJSON: bytes).mapping else {
      throw CheckpointError(.malformed, "the text is not a JSON object")
    }
    self.members = members
  }

  /// Reads the `config.json` at `path`.
  ///
  /// - Throws: the same errors, and `inputOutput` if the file cannot be read.
  package init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try HuggingFaceConfig(reading: bytes)
    }
  }

  /// Returns the text in the layout of `transformers`.
  ///
  /// - Throws: `lossy` for values that JSON cannot hold: names that are not text, infinities and
  ///   NaN.
  package func text() throws(CheckpointError) -> [UInt8] {
    try YAMLValue(.mapping(members)).json()
  }

  /// The value of a member, or `nil` for none.
  package subscript(name: String) -> YAMLValue? {
    get { members[name] }
    set { members[name] = newValue }
  }
}

// How the tables look at members.

extension HuggingFaceConfig {
  /// Returns the integer of a member: `missing` for a missing member, `nil` for `null`.
  ///
  /// - Throws: `malformed` for another value, `limitExceeded` for one that no model has.
  func integer(_ name: String, missing: Int?) throws(CheckpointError) -> Int? {
    guard let value = self[name] else { return missing }
    switch value.content {
    case .scalar(.null): return nil
    case .scalar(.integer(let integer)) where integer.magnitude <= OLMoField.largestInteger:
      return integer
    case .scalar(.integer(let integer)):
      throw CheckpointError(
        .limitExceeded,
        "'\(name)' is \(integer), but the limit is \(OLMoField.largestInteger)")
    default: throw unexpected(name, "an integer")
    }
  }

  /// Returns the first end-of-text token.
  ///
  /// - Throws: `malformed` if there is none.
  func endOfText(missing: Int) throws(CheckpointError) -> Int {
    guard let value = self["eos_token_id"] else { return missing }
    guard case .integer(let token) = value.scalar ?? value.sequence?.first?.scalar,
      (0...OLMoField.largestInteger).contains(token)
    else { throw unexpected("eos_token_id", "a token, which OLMo needs") }
    return token
  }

  /// Returns the base of the rotary angles, at its place in transformers 4 or 5.
  ///
  /// - Throws: `malformed` for a value that is not a number, or for two different ones.
  func ropeTheta() throws(CheckpointError) -> Double {
    let thetas = ([self["rope_theta"]] + ropeParameters.map { $0["rope_theta"] })
      .compactMap { $0 }
    var found: Double?
    for theta in thetas {
      let number: Double
      switch theta.scalar {
      case .integer(let value): number = Double(value)
      case .number(let value): number = value
      default: throw unexpected("rope_theta", "a number")
      }
      guard found == nil || found == number else {
        throw CheckpointError(
          .malformed,
          "'rope_theta' and 'rope_parameters' contradict each other: \(found ?? number) and \(number)"
        )
      }
      found = number
    }
    // The default of `Olmo3Config` differs from those of the other classes.
    return found ?? (self["model_type"]?.scalar == .string("olmo3") ? 500_000 : 10_000)
  }

  /// The `rope_parameters` of transformers 5: one set, or one for each kind of attention.
  private var ropeParameters: [YAMLMapping] {
    guard let parameters = self["rope_parameters"]?.mapping else { return [] }
    let kinds = SlidingWindow.kinds.compactMap { parameters[$0]?.mapping }
    return kinds.isEmpty ? [parameters] : kinds
  }

  /// Whether rotary angles are not scaled, in the form of transformers 4 or 5.
  var rotatesPlainly: Bool {
    if let value = self["rope_parameters"], value.scalar != .null, ropeParameters.isEmpty {
      return false
    }
    guard ropeParameters.allSatisfy({ Self.isPlain(ropeTypes(in: $0)) }) else { return false }
    guard let value = self["rope_scaling"], value.scalar != .null else { return true }
    // Without a type, `rope_scaling` always meant a factor.
    guard let types = value.mapping.map(ropeTypes), !types.isEmpty else { return false }
    return Self.isPlain(types)
  }

  private func ropeTypes(in parameters: YAMLMapping) -> [YAMLScalar] {
    ["rope_type", "type"].compactMap { parameters[$0]?.scalar }
  }

  private static func isPlain(_ types: [YAMLScalar]) -> Bool {
    types.allSatisfy { $0 == .string("default") }
  }

  /// Whether the rotation covers the whole head.
  var rotatesWholeHeads: Bool {
    let factors =
      [self["partial_rotary_factor"]] + ropeParameters.map { $0["partial_rotary_factor"] }
    return factors.compactMap { $0?.scalar }
      .allSatisfy { [.null, .integer(1), .number(1)].contains($0) }
  }

  /// Whether the size of a head is the hidden size divided by the number of heads.
  var hasUniformHeads: Bool {
    guard let size = self["head_dim"]?.scalar, size != .null else { return true }
    guard case .integer(let size) = size,
      let width = try? integer("hidden_size", missing: 4096),
      let count = try? integer("num_attention_heads", missing: 32)
    else { return false }
    return count > 0 && width == size.multipliedReportingOverflow(by: count).partialValue
  }

  private func unexpected(_ name: String, _ expected: String) -> CheckpointError {
    let found = self[name]?.scalar.map { "'\($0)'" } ?? "a list or object"
    return CheckpointError(.malformed, "'\(name)' is \(found), expected \(expected)")
  }
}

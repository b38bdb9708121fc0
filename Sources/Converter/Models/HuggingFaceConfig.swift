package import CkptBase
package import CkptYAML

/// A `config.json` of a Hugging Face model, with its members in their order.
package struct HuggingFaceConfig: Hashable, Sendable {
  /// All members.
  package var members: YAMLMapping

  /// A configuration of these members.
  package init(_ members: YAMLMapping = YAMLMapping()) { self.members = members }

  /// Reads the text of a `config.json`.
  ///
  /// - Throws: `malformed` where it is not a JSON object, or has a name twice.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    guard let members = try YAMLValue(readingJSON: bytes).mapping else {
      throw CheckpointError(.malformed, "the text is no JSON object")
    }
    self.members = members
  }

  /// Reads the `config.json` at `path`.
  ///
  /// - Throws: as above, and `inputOutput` when the file cannot be read.
  package init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try HuggingFaceConfig(reading: bytes)
    }
  }

  /// The text as `transformers` lays it out.
  ///
  /// - Throws: `lossy` for what JSON does not have: names that are not text, infinities and NaN.
  package func text() throws(CheckpointError) -> [UInt8] {
    try YAMLValue(.mapping(members)).json()
  }

  /// The value of a member, or `nil` where there is none.
  package subscript(name: String) -> YAMLValue? {
    get { members[name] }
    set { members[name] = newValue }
  }
}

// How the tables look at members.

extension HuggingFaceConfig {
  /// The integer of a member: `missing` where the member is, `nil` for `null`.
  ///
  /// - Throws: `malformed` for something else, `limitExceeded` for one no model has.
  func integer(_ name: String, missing: Int?) throws(CheckpointError) -> Int? {
    guard let value = self[name] else { return missing }
    switch value.content {
    case .scalar(.null): return nil
    case .scalar(.integer(let integer)) where integer.magnitude <= OLMoField.largestInteger:
      return integer
    case .scalar(.integer(let integer)):
      throw CheckpointError(
        .limitExceeded,
        "'\(name)' is \(integer); no model is larger than \(OLMoField.largestInteger)")
    default: throw unexpected(name, "an integer")
    }
  }

  /// The first of the tokens that end a text.
  ///
  /// - Throws: `malformed` when there is none.
  func endOfText(missing: Int) throws(CheckpointError) -> Int {
    guard let value = self["eos_token_id"] else { return missing }
    guard case .integer(let token) = value.scalar ?? value.sequence?.first?.scalar,
      (0...OLMoField.largestInteger).contains(token)
    else { throw unexpected("eos_token_id", "a token, which OLMo needs") }
    return token
  }

  /// The base of the rotary angles, from where transformers 4 has it or from where 5 has it.
  ///
  /// - Throws: `malformed` for something else than a number, or two different ones.
  func ropeTheta() throws(CheckpointError) -> Double {
    let nested = self["rope_parameters"]?.mapping?["rope_theta"]
    let thetas = [self["rope_theta"], nested].compactMap { $0 }
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
          .malformed, "'rope_theta' and 'rope_parameters' say \(found ?? number) and \(number)")
      }
      found = number
    }
    return found ?? 10_000
  }

  /// Whether rotary angles are not scaled, in the words of transformers 4 and 5.
  var rotatesPlainly: Bool {
    for name in ["rope_scaling", "rope_parameters"] {
      guard let value = self[name], value.scalar != .null else { continue }
      guard let parameters = value.mapping else { return false }
      let types = ["rope_type", "type"].compactMap { parameters[$0]?.scalar }
      let isPlain = types.allSatisfy { $0 == .string("default") }
      // Without a type, `rope_scaling` has always meant a factor.
      guard isPlain, name == "rope_parameters" || !types.isEmpty else { return false }
    }
    return true
  }

  /// Whether positions rotate all of a head.
  var rotatesWholeHeads: Bool {
    let factors = [
      self["partial_rotary_factor"],
      self["rope_parameters"]?.mapping?["partial_rotary_factor"],
    ]
    return factors.compactMap { $0?.scalar }
      .allSatisfy { [.null, .integer(1), .number(1)].contains($0) }
  }

  /// Whether heads are as wide as the residual stream divided by their number.
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
    return CheckpointError(.malformed, "'\(name)' is \(found), where \(expected) was expected")
  }
}

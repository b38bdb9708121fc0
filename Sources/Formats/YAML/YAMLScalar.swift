internal import Bytes

/// A value that is no collection.
public enum YAMLScalar: Sendable {
  /// `null`, `~` or nothing at all.
  case null
  /// `true` or `false`, or another of the words for them.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number with a fraction or an exponent; infinities and NaN included.
  case number(Double)
  /// Text, interpolations such as `${name}` included.
  case string(String)
}

extension YAMLScalar: Hashable {
  /// Whether kind and value are equal; text is compared byte by byte, and NaN equals itself.
  public static func == (left: YAMLScalar, right: YAMLScalar) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.number(let left), .number(let right)): left == right || left.isNaN && right.isNaN
    case (.string(let left), .string(let right)): ExactString(left) == ExactString(right)
    default: false
    }
  }

  /// Feeds what ``==(_:_:)`` compares to `hasher`.
  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .number(let value): hasher.combine(value.isNaN ? .nan : value)
    case .string(let text): hasher.combine(ExactString(text))
    }
  }
}

extension YAMLScalar: CustomStringConvertible {
  /// The value as it is written where nothing can be mistaken: text without quotes.
  public var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): Self.text(of: value)
    case .string(let text): text
    }
  }

  /// A number as PyYAML writes it, so that every reader takes it for one.
  ///
  /// PyYAML reads `1e-05` as text and therefore writes `1.0e-05` (its `represent_float`).
  static func text(of number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    let text = number.description
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}

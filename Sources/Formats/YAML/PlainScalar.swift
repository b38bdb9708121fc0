internal import Bytes

/// What text without quotes stands for.
///
/// The rules are those by which OmegaConf 2.3 loads a configuration: PyYAML's resolver (YAML 1.1:
/// `yes` is true, `017` is fifteen, `1:30` is ninety), except that an exponent needs neither dot nor
/// sign, so that `1e-5` is a number, and that dates are text.
enum PlainScalar {
  /// The value of `text`.
  ///
  /// - Throws: `malformed` for an integer without digits, `limitExceeded` for one beyond 64 bits.
  static func resolve(_ text: String) throws(FormatError) -> YAMLScalar {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
    case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return .bool(false)
    case ".nan", ".NaN", ".NAN": return .number(.nan)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
    default: break
    }
    // Numbers begin so; everything else is decided by one comparison.
    guard let first = text.utf8.first, isDigit(first) || first == UInt8(ascii: ".") || isSign(first)
    else { return .string(text) }
    var number = PlainNumber(text)
    return try number.value() ?? .string(text)
  }

  /// Whether `text` may be written without quotes as far as its value is concerned: whether every
  /// reader takes it for text.
  static func isText(_ text: String) -> Bool {
    guard let value = try? resolve(text), case .string = value else { return false }
    // Not to OmegaConf, but to PyYAML these have a meaning: a date, a merge, a default value.
    return !isDate(text) && text != "<<" && text != "="
  }

  /// Whether PyYAML takes `text` for a date, at least by its beginning.
  private static func isDate(_ text: String) -> Bool {
    let bytes = Array(text.utf8.prefix(10))
    guard bytes.count >= 8, bytes[..<4].allSatisfy(isDigit) else { return false }
    return bytes[4] == UInt8(ascii: "-") && isDigit(bytes[5])
  }

  static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  static func isSign(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
  }
}

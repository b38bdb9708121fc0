/// Numbers for people, with a few significant digits.
package enum ShortNumber {
  /// The text of `value` with up to `digits` significant digits, without zeros at its end.
  package static func text(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite, value != 0 else {
      return value == 0 ? "0" : value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
    }
    guard value > 0 else { return "-" + text(-value, digits: digits) }
    var (mantissa, exponent) = (value, 0)
    while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
    while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
    let scale = (1..<digits).reduce(1) { scale, _ in scale * 10 }
    var number = Int(mantissa * Double(scale) + 0.5)
    if number == 10 * scale { (number, exponent) = (scale, exponent + 1) }
    var text = String(number)
    if exponent >= 0, exponent < 15 {
      // All of the digits before the point.
      guard exponent < digits - 1 else { return String(Int(value + 0.5)) }
      text.insert(".", at: text.index(text.startIndex, offsetBy: exponent + 1))
      return trimmed(text)
    }
    if exponent < 0, exponent >= -4 {
      return trimmed("0." + String(repeating: "0", count: -exponent - 1) + text)
    }
    if digits > 1 { text.insert(".", at: text.index(after: text.startIndex)) }
    return "\(trimmed(text))e\(exponent)"
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}

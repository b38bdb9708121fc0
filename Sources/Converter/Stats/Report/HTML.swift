/// A piece of HTML.
///
/// Literals are markup. Text gets into a piece only by interpolation, which escapes it, so that no name
/// from a file can be markup.
struct HTML: Sendable, ExpressibleByStringInterpolation {
  private(set) var text: String

  init(stringLiteral markup: String) { text = markup }

  init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

  /// The pieces one after the other.
  init(_ pieces: some Sequence<HTML>) {
    text = ""
    for piece in pieces { text += piece.text }
  }

  static func += (left: inout HTML, right: HTML) { left.text += right.text }

  /// Markup with text, numbers and other pieces in it.
  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }

    mutating func appendLiteral(_ literal: String) { text += literal }

    /// Appends text from anywhere, escaped.
    mutating func appendInterpolation(_ text: String) { self.text += text.escaped }

    mutating func appendInterpolation(_ piece: HTML) { text += piece.text }

    mutating func appendInterpolation(_ pieces: [HTML]) {
      for piece in pieces { text += piece.text }
    }

    mutating func appendInterpolation(_ number: Int) { text += String(number) }

    /// Appends a coordinate: one digit after the point is finer than any screen.
    mutating func appendInterpolation(_ coordinate: Double) { text += coordinate.asCoordinate }
  }
}

extension String {
  /// The text for HTML, in an element or in a quoted attribute.
  ///
  /// Characters that change the display of others, such as marks of direction, are spelled out.
  fileprivate var escaped: String {
    let needsNothing = utf8.allSatisfy { byte in
      byte >= 0x20 && byte < 0x7f && ![0x26, 0x3c, 0x3e, 0x22, 0x27].contains(byte)
    }
    if needsNothing { return self }
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default:
        if scalar.isInvisible {
          result += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  fileprivate var isInvisible: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}

extension Double {
  /// The number with at most one digit after the point.
  var asCoordinate: String {
    guard isFinite, magnitude < 1e9 else { return "0" }
    let tenths = Int((self * 10).rounded())
    let (whole, rest) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
    let sign = tenths < 0 ? "-" : ""
    return rest == 0 ? "\(sign)\(whole)" : "\(sign)\(whole == 0 ? "" : String(whole)).\(rest)"
  }
}

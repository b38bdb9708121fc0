/// A number of bytes for people: three digits, rounded to nearest, and a decimal unit.
///
/// Exact numbers belong in JSON. Units are decimal, like those of disks and networks.
package struct ByteCount: Hashable, Sendable, CustomStringConvertible {
  /// The exact number.
  package let bytes: Int

  /// Creates a number of bytes for people.
  package init(bytes: Int) { self.bytes = bytes }

  /// `999 B`, `1.23 kB`, `45.7 MB`, `789 GB`.
  package var description: String {
    RoundedCount.text(bytes, units: ["B", "kB", "MB", "GB", "TB", "PB", "EB"])
  }
}

/// A number of elements for people, such as the parameters of a model.
package struct ElementCount: Hashable, Sendable, CustomStringConvertible {
  /// The exact number.
  package let elements: Int

  /// Creates a number of elements for people.
  package init(_ elements: Int) { self.elements = elements }

  /// `999`, `1.23 k`, `45.7 M`, `1.48 B`.
  package var description: String {
    RoundedCount.text(elements, units: ["", "k", "M", "B", "T", "P", "E"])
  }
}

/// Counts with three significant digits and a unit.
private enum RoundedCount {
  /// Returns the text of a count; each unit is a thousand times the one before it.
  static func text(_ exact: Int, units: [String]) -> String {
    guard exact >= 1000 else { return units[0].isEmpty ? "\(exact)" : "\(exact) \(units[0])" }
    // Integers only: no rounding depends on a Double.
    var count = String(exact).utf8.count
    var divisor = 1
    for _ in 3..<count { divisor *= 10 }
    let (quotient, rest) = exact.quotientAndRemainder(dividingBy: divisor)
    let digits = String(rest >= divisor - rest ? quotient + 1 : quotient)
    // 999.5 kB and more round up to 1.00 MB.
    if digits.utf8.count > 3 { count += 1 }
    let unit = units[(count - 1) / 3]
    let whole = (count - 1) % 3 + 1
    let fraction = digits.prefix(3).dropFirst(whole)
    return "\(digits.prefix(whole))\(fraction.isEmpty ? "" : ".")\(fraction) \(unit)"
  }
}

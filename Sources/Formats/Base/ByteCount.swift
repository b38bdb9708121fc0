/// A number of bytes for people: three digits, rounded to nearest, and a decimal unit.
///
/// Exact numbers belong in JSON. Units are decimal, like those of disks and networks.
package struct ByteCount: Hashable, Sendable, CustomStringConvertible {
  /// The exact number.
  package let bytes: Int

  private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

  /// Creates a number of bytes for people.
  package init(bytes: Int) { self.bytes = bytes }

  /// `999 B`, `1.23 kB`, `45.7 MB`, `789 GB`.
  package var description: String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    // Integers only: no rounding depends on a Double.
    var count = String(bytes).utf8.count
    var divisor = 1
    for _ in 3..<count { divisor *= 10 }
    let (quotient, rest) = bytes.quotientAndRemainder(dividingBy: divisor)
    let digits = String(rest >= divisor - rest ? quotient + 1 : quotient)
    // 999.5 kB and more round up to 1.00 MB.
    if digits.utf8.count > 3 { count += 1 }
    let unit = Self.units[(count - 1) / 3]
    let whole = (count - 1) % 3 + 1
    let fraction = digits.prefix(3).dropFirst(whole)
    return "\(digits.prefix(whole))\(fraction.isEmpty ? "" : ".")\(fraction) \(unit)"
  }
}

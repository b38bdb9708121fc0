/// A number of bytes for people: three digits and a decimal unit, as disks and networks are sold.
struct ByteCount: Hashable, Sendable, CustomStringConvertible {
  let bytes: Int

  private static let units = ["kB", "MB", "GB", "TB", "PB", "EB"]

  /// `999 B`, `1.23 kB`, `45.6 MB`, `789 GB`.
  var description: String {
    guard bytes >= 1000 else { return "\(bytes) B" }
    // Three digits are kept in thousandths of the unit, so that no rounding depends on a Double.
    var scale = 1
    var unit = 0
    while bytes / scale >= 1_000_000, unit < Self.units.count - 1 {
      scale *= 1000
      unit += 1
    }
    let thousandths = bytes / scale
    let (whole, rest) = thousandths.quotientAndRemainder(dividingBy: 1000)
    let fraction = String(1000 + rest).dropFirst()
    return switch whole {
    case ..<10: "\(whole).\(fraction.prefix(2)) \(Self.units[unit])"
    case ..<100: "\(whole).\(fraction.prefix(1)) \(Self.units[unit])"
    default: "\(whole) \(Self.units[unit])"
    }
  }
}

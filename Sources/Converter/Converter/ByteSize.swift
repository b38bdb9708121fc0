/// A number of bytes as people write it: `5GB`, `1.5 GiB`, `500000`.
public enum ByteSize: Sendable {
  /// The number of bytes that `text` stands for, or `nil` where it is not the size of something.
  ///
  /// Decimal units are powers of 1000 and may be in any case, as huggingface_hub reads them
  /// (`parse_size_to_int`); binary ones, with an `i`, are powers of 1024. Fractions of a byte are
  /// cut off.
  public static func parse(_ text: String) -> Int? {
    let trimmed = text.drop { $0 == " " }
    let number = trimmed.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = trimmed[number.endIndex...].filter { $0 != " " }.lowercased()
    guard let factor = factors[unit], let first = number.utf8.first,
      first != UInt8(ascii: "."), number.utf8.last != UInt8(ascii: ".")
    else { return nil }
    let byteCount: Int
    if let whole = Int(number) {
      let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
      guard !overflow else { return nil }
      byteCount = product
    } else {
      guard let value = Double(number), value * Double(factor) < 0x1p63 else { return nil }
      byteCount = Int(value * Double(factor))
    }
    return byteCount > 0 ? byteCount : nil
  }

  private static let factors = [
    "": 1, "b": 1,
    "kb": 1000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
    "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
  ]
}

extension BoundFlag {
  /// A flag whose value is a number of bytes, such as `5GB` or `200MiB`.
  static func byteCount(
    _ long: String, _ valueName: String, _ property: Property<Int?>,
    in section: Flag.Section, _ summary: String, manual: String
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: nil, argument: .text(valueName), section: section, summary: summary,
        manual: manual)
    ) { target, text throws(UsageError) in
      guard let bytes = ByteCount(parsing: text), bytes.bytes > 0 else {
        throw .badValue(of: long, needs: "a size such as 5GB, 500MB or 2GiB", found: text)
      }
      target[keyPath: property] = bytes.bytes
    }
  }
}

extension ByteCount {
  private static let factors: [(unit: String, factor: Int)] = [
    ("KIB", 1 << 10), ("MIB", 1 << 20), ("GIB", 1 << 30), ("TIB", 1 << 40),
    ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ("B", 1), ("", 1),
  ]

  /// Reads a whole number of bytes, or of a unit, as `max_shard_size` of transformers takes it.
  ///
  /// Any other text is `nil`.
  init?(parsing text: String) {
    let upper = text.uppercased()
    guard let (unit, factor) = Self.factors.first(where: { upper.hasSuffix($0.unit) }) else {
      return nil
    }
    let digits = upper.dropLast(unit.count)
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits) else {
      return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    self.init(bytes: bytes)
  }
}

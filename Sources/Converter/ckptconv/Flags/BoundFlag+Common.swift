internal import CkptCheckpoints
internal import CkptConvert

/// Flags that several commands have and that mean the same in all of them.
extension BoundFlag {
  /// Whether outputs are on the disk before they appear.
  static func sync(_ property: Property<Bool>) -> Self {
    .toggle(
      "sync", property, in: .output, "put outputs on the disk before they appear",
      manual: """
        Waits (fdatasync) until an output is on the disk before it appears under its name, so that
        not even a power failure leaves half of one. It is slower.
        """)
  }

  /// A flag for the destination of outputs: a path, or `-` for the standard output.
  static func destination(
    _ long: String, short: Character? = nil, _ valueName: String,
    _ property: Property<Destination>, in section: Flag.Section, _ summary: String, manual: String
  ) -> Self {
    BoundFlag(
      flag: Flag(
        long: long, short: short, argument: .path(valueName), section: section, summary: summary,
        manual: manual)
    ) { target, text throws(UsageError) in
      guard !text.isEmpty else { throw .badValue(of: long, needs: "a path", found: text) }
      target[keyPath: property] = text == "-" ? .standardOutput : .path(text)
    }
  }

  /// Where the tokenizer is that goes along with a checkpoint.
  static func tokenizer(_ property: Property<String?>) -> Self {
    .path(
      "tokenizer", "PATH", property, in: .content, "take the tokenizer from a directory or file",
      manual: """
        The directory with the files of the tokenizer, or its `tokenizer.json`. The default is DIR,
        if it has them.
        """)
  }

  /// Whether the end-of-text token of OLMo 1's first configurations stays what they say.
  static func keepEndOfText(_ property: Property<Bool>) -> Self {
    .toggle(
      "keep-eos", property, in: .content, "keep an end-of-text token 0",
      manual: """
        The first configurations of OLMo 1 say 0 for the end-of-text token and mean 50279, which is
        written for it, with a warning. With this flag 0 is written.
        """)
  }

  /// Whether what can run code becomes `None`.
  static func dropUnsafe(_ property: Property<Bool>) -> Self {
    .toggle(
      "drop-unsafe", property, in: .safety, "replace what can run code by None",
      manual: """
        A pickle with something that can run code is refused. With this flag its value
        becomes None, and a warning names it. Nothing is run in either case. See
        `ckptconv help safety`.
        """)
  }
}

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

extension BoundFlag {
  /// How an optimizer's state refers to parameters, which is otherwise as the text `standard` says.
  static func optimizerNames(
    _ property: Property<OptimizerNames?>, otherwise standard: String
  ) -> Self {
    .choice(
      "optimizer-names", "KIND", property, in: .content,
      "key the optimizer's state for fsdp or single",
      manual: """
        How the optimizer's state refers to parameters. The default is \(standard). What a trainer on
        one device has saved does not load under FSDP, because its names begin with `module.`; `fsdp`
        repairs that.
        """)
  }
}

extension OptimizerNames: FlagChoice {
  var meaning: String {
    switch self {
    case .fsdp: "by name, for trainers under fully sharded data parallelism"
    case .single: "by number, for one device or distributed data parallelism"
    }
  }
}

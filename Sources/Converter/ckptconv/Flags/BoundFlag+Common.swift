internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert

/// The flags that several commands have with the same meaning.
extension BoundFlag {
  /// Returns the flag to write outputs to the disk before they appear.
  static func sync(_ property: Property<Bool>) -> Self {
    .toggle(
      "sync", property, in: .output, "sync outputs to the disk before they appear",
      manual: """
        Waits until an output is on the disk before it appears under its name, so that
        even a power failure leaves no incomplete file. This is slower.
        """)
  }

  /// Returns a flag for the output: a path, or `-` for the standard output.
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

  /// Returns the flag for the tokenizer to include.
  static func tokenizer(_ property: Property<String?>) -> Self {
    .path(
      "tokenizer", "PATH", property, in: .content, "include the tokenizer from a directory or file",
      manual: """
        The directory with the tokenizer files, or its `tokenizer.json`. The default is DIR, if it
        has them.
        """)
  }

  /// Returns the flag to keep the end-of-text token of early OLMo 1 configurations.
  static func keepEndOfText(_ property: Property<Bool>) -> Self {
    .toggle(
      "keep-eos", property, in: .content, "keep an end-of-text token 0",
      manual: """
        The first configurations of OLMo 1 have the end-of-text token 0, but mean 50279. Without
        this flag 50279 is written, with a warning. With it, 0 is written.
        """)
  }

  /// Returns the flag to replace objects that can run code by `None`.
  static func dropUnsafe(_ property: Property<Bool>) -> Self {
    .toggle(
      "drop-unsafe", property, in: .safety, "replace objects that can run code by None",
      manual: """
        Without this flag a pickle with an object that can run code is refused. With it, None
        replaces the object, and a warning names it. Nothing is run in either case. See
        `ckptconv help safety`.
        """)
  }
}

extension BoundFlag {
  /// Returns the flag to keep names whole in tables.
  static func fullNames(_ property: Property<Bool>) -> Self {
    .toggle(
      "full-names", property, in: .listing, "never shorten names",
      manual: """
        Prints names in full even if a line is then wider than the terminal. Without this flag the
        middle of a long name is replaced by `…` on a terminal, and different names remain different.
        In a pipe names are always whole.
        """)
  }

  /// Returns a flag with a number of bytes as its value, such as `5GB` or `200MiB`.
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
    ("K", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000),
    ("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ("B", 1), ("", 1),
  ]

  /// Parses a number of bytes with or without a unit, like `max_shard_size` of transformers.
  ///
  /// The result is `nil` for other text.
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
  /// Returns the flag for the naming of parameters in an optimizer state; the default is
  /// `standard`.
  static func optimizerNames(
    _ property: Property<OptimizerNames?>, otherwise standard: String
  ) -> Self {
    .choice(
      "optimizer-names", "KIND", property, in: .content,
      "optimizer parameter names: fsdp or single",
      manual: """
        The parameter names in the optimizer state. The default is \(standard). A state that a
        trainer saved on one device does not load under FSDP, because its names begin with
        `module.`; `fsdp` fixes that.
        """)
  }
}

extension OptimizerNames: FlagChoice {
  var meaning: String {
    switch self {
    case .fsdp: "names, for fully sharded data parallelism"
    case .single: "numbers, for one device or distributed data parallelism"
    }
  }
}

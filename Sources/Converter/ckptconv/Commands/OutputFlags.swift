internal import CkptConvert
internal import CkptCopy
internal import CkptFormats
internal import CkptHuggingFace

/// Flags that conversions of files have in common.
extension ConversionOptions {
  /// The flags that say how files appear and that prove what is in them.
  static let outputFlags: [BoundFlag<ConversionOptions>] =
    WritingOptions.flags.map { $0.lifted(to: \.writing) } + [
      .toggle(
        "verify", \.verifiesOutputs, in: .output, "read outputs again and compare them first",
        manual: """
          Reads each output again before it appears under its name, and compares it with the input: names,
          types, values, bytes of tensors, as `ckptconv verify` does. If anything differs, nothing is
          left behind, and the exit code is 65. An output without skeleton is compared with
          the bytes that were to be written.
          """),
      .path(
        "manifest", "FILE", \.manifest, in: .output, "write the SHA-256 of all of INPUT to FILE",
        manual: """
          Writes a manifest of the one INPUT, as `ckptconv verify` `--manifest` does. It appears together
          with the outputs, and `ckptconv verify` `--against` FILE compares them with it at any
          later time.
          """),
    ]

  /// Refuses what excludes each other.
  func check(_ operands: [String], _ destination: Destination) throws(UsageError) {
    if manifest != nil, operands.count > 1 {
      throw .conflict(
        "--manifest", "\(operands.count) inputs", because: "a manifest is of one checkpoint")
    }
    if verifiesOutputs, destination == .standardOutput {
      throw .conflict(
        "--output -", "--verify", because: "what has gone into a pipe cannot be read again")
    }
  }
}

extension WritingOptions {
  /// The flags that say how files appear.
  static let flags: [BoundFlag<WritingOptions>] = [
    .toggle(
      "force", \.replacesExisting, in: .output, "replace outputs that exist",
      manual: """
        Without it a file that exists is never replaced. With it the old file stays until the new one
        is complete.
        """),
    .sync(\.synchronizes),
  ]
}

extension Destination {
  /// Refuses inputs and flags that the standard output has no room for.
  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    guard self == .standardOutput else { return }
    if operands.count > 1 {
      throw .conflict(
        "--output -", "\(operands.count) inputs", because: "one file fits the standard output")
    }
    if shared.json {
      throw .conflict("--output -", "--json", because: "both need the standard output")
    }
  }
}

/// Flags that conversions of whole directories have in common.
extension DirectoryOptions {
  static let flags: [BoundFlag<DirectoryOptions>] = [
    .toggle(
      "force", \.writing.replacesExisting, in: .output,
      "replace files in a directory that exists",
      manual: """
        Writes into a directory that has files already, and replaces those of the same names. It is
        refused where weights of other names would stay, since readers might take the old ones.
        """),
    .sync(\.writing.synchronizes),
    .dropUnsafe(\.reading.dropsUnsafe),
  ]
}

extension BoundFlag {
  /// The flag that says where the outputs of a conversion of files go.
  static func conversionOutput(_ property: Property<Destination>) -> Self {
    .destination(
      "output", short: "o", "PATH", property, in: .output,
      "write to a file, a directory, or - (stdout)",
      manual: """
        Where the output goes. A directory that exists, and any PATH when there are several inputs or
        the input is a directory, is the directory that the outputs are written into; it is made
        where it does not exist. Otherwise it is the name of the file. The name `-` stands for the
        standard output, which takes one file.
        """)
  }

  /// The flag that names the directory to write.
  static func outputDirectory(_ property: Property<String?>) -> Self {
    .path(
      "output", short: "o", "DIR", property, in: .output, "write to this new directory",
      manual: """
        The directory that is made. It appears complete or not at all. It may exist if it is empty.
        """)
  }
}

extension Operands {
  /// One directory.
  static let directory = Operands(usage: "DIR", minimum: 1, maximum: 1, arePaths: true)
}

/// The types that weights can be cast to.
enum WeightDType: String, FlagChoice {
  case bf16, f16, f32

  var meaning: String {
    switch self {
    case .bf16: "bfloat16"
    case .f16: "float16"
    case .f32: "float32"
    }
  }
}

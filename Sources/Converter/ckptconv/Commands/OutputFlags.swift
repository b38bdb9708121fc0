internal import CkptConvert
internal import CkptCopy
internal import CkptFormats
internal import CkptHuggingFace

/// The flags that conversions of files have in common.
extension ConversionOptions {
  /// The flags for verification and manifests.
  static let outputFlags: [BoundFlag<ConversionOptions>] =
    WritingOptions.flags.map { $0.lifted(to: \.writing) } + [
      .toggle(
        "verify", \.verifiesOutputs, in: .output, "read outputs again and compare them",
        manual: """
          Reads each output again before it appears under its name, and compares it with the input,
          like `ckptconv verify`: names, types, values and tensor bytes. If anything differs, no
          output is left and the exit code is 65. An output without a skeleton is compared with the
          bytes that were written.
          """),
      .path(
        "manifest", "FILE", \.manifest, in: .output, "write SHA-256 checksums of INPUT to FILE",
        manual: """
          Writes a manifest of the one INPUT, like `ckptconv verify` `--manifest`. It appears
          together with the outputs. `ckptconv verify` `--against` FILE compares them with it at any
          later time.
          """),
    ]

  /// Refuses flags that exclude each other.
  func check(_ operands: [String], _ destination: Destination) throws(UsageError) {
    if manifest != nil, operands.count > 1 {
      throw .conflict(
        "--manifest", "\(operands.count) inputs", because: "a manifest describes one checkpoint")
    }
    if verifiesOutputs, destination == .standardOutput {
      throw .conflict(
        "--output -", "--verify", because: "data in a pipe cannot be read again")
    }
  }
}

extension WritingOptions {
  /// The flags for replacing and syncing outputs.
  static let flags: [BoundFlag<WritingOptions>] = [
    .toggle(
      "force", \.replacesExisting, in: .output, "replace existing outputs",
      manual: """
        Without this flag an existing file is never replaced. With it, the old file is kept until
        the new one is complete.
        """),
    .sync(\.synchronizes),
  ]
}

extension Destination {
  /// Refuses inputs and flags that cannot be combined with the standard output.
  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    guard self == .standardOutput else { return }
    if operands.count > 1 {
      throw .conflict(
        "--output -", "\(operands.count) inputs", because: "the standard output takes one file")
    }
    if shared.json {
      throw .conflict("--output -", "--json", because: "both use the standard output")
    }
  }
}

/// The flags that conversions of directories have in common.
extension DirectoryOptions {
  static let flags: [BoundFlag<DirectoryOptions>] = [
    .toggle(
      "force", \.writing.replacesExisting, in: .output,
      "replace files in an existing directory",
      manual: """
        Writes into a directory that already has files, and replaces files of the same names. It is
        refused if weights of other names would remain, because readers could load those.
        """),
    .sync(\.writing.synchronizes),
    .toggle(
      "verify", \.verifiesOutputs, in: .output, "read outputs again and compare them",
      manual: """
        Reads the written directory again before it appears, and compares it with the input, like
        `ckptconv verify`. If anything differs, no output is left and the exit code is 65. Files
        that are written into an existing directory are compared byte by byte with what was to be
        written.
        """),
    .dropUnsafe(\.reading.dropsUnsafe),
  ]
}

extension BoundFlag {
  /// Returns the output flag of conversions of files.
  static func conversionOutput(_ property: Property<Destination>) -> Self {
    .destination(
      "output", short: "o", "PATH", property, in: .output,
      "write to a file, a directory, or - (stdout)",
      manual: """
        With several inputs, or a directory, PATH is the output directory (created if needed). With
        one file, PATH is the output file, or an existing directory to write it into. `-` is the
        standard output, which takes one file.
        """)
  }

  /// Returns the flag for an output directory.
  static func outputDirectory(_ property: Property<String?>) -> Self {
    .path(
      "output", short: "o", "DIR", property, in: .output, "write to this new directory",
      manual: """
        The output directory. It must be new or empty. It appears complete or not at all.
        """)
  }
}

extension Operands {
  /// One directory.
  static let directory = Operands(usage: "DIR", minimum: 1, maximum: 1, arePaths: true)
}

/// A type that weights can be cast to.
enum WeightDType: String, FlagChoice {
  case bf16, f16, f32

  /// The names in PyTorch and in other programs.
  private static let words: [String: WeightDType] = [
    "bfloat16": .bf16, "float16": .f16, "fp16": .f16, "half": .f16, "float32": .f32, "fp32": .f32,
    "float": .f32,
  ]

  /// Creates the type for a name in small letters or capitals.
  init?(word: String) {
    let word = word.lowercased()
    guard let type = WeightDType(rawValue: word) ?? Self.words[word] else { return nil }
    self = type
  }

  var meaning: String {
    switch self {
    case .bf16: "bfloat16"
    case .f16: "float16"
    case .f32: "float32"
    }
  }
}

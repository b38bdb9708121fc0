internal import CkptConvert
internal import CkptCopy
internal import CkptFormats
internal import CkptHuggingFace

/// What conversions in both directions can be told of their outputs.
struct OutputOptions: Sendable {
  /// The destination of the outputs.
  private(set) var destination = Destination.besideInput
  private var writing = WritingOptions()
  private var verifies = false
  private var manifest: String?

  static let flags: [BoundFlag<OutputOptions>] =
    [
      output(
        "write to a file, a directory, or - (stdout)",
        manual: """
          Where the output goes. A directory that exists, and any PATH when there are several inputs or
          the input is a directory, is the directory that the outputs are written into; it is made
          where it does not exist. Otherwise it is the name of the file. The name `-` stands for the
          standard output, which takes one file.
          """)
    ] + replacement + proof

  /// The flag that says where outputs go, in the words of a command.
  static func output(_ summary: String, manual: String) -> BoundFlag<OutputOptions> {
    .destination("output", short: "o", "PATH", \.destination, in: .output, summary, manual: manual)
  }

  /// The flags that say how files appear.
  static let replacement: [BoundFlag<OutputOptions>] = [
    .toggle(
      "force", \.writing.replacesExisting, in: .output, "replace outputs that exist",
      manual: """
        Without it a file that exists is never replaced. With it the old file stays until the new one
        is complete.
        """),
    .sync(\.writing.synchronizes),
  ]

  /// The flags that prove what is in them.
  private static let proof: [BoundFlag<OutputOptions>] = [
    .toggle(
      "verify", \.verifies, in: .output, "read outputs again and compare them first",
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
  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    if manifest != nil, operands.count > 1 {
      throw .conflict(
        "--manifest", "\(operands.count) inputs", because: "a manifest is of one checkpoint")
    }
    guard destination == .standardOutput else { return }
    if verifies {
      throw .conflict(
        "--output -", "--verify", because: "what has gone into a pipe cannot be read again")
    }
    if operands.count > 1 {
      throw .conflict(
        "--output -", "\(operands.count) inputs", because: "one file fits the standard output")
    }
    if shared.json {
      throw .conflict("--output -", "--json", because: "both need the standard output")
    }
  }

  /// Hands what was chosen to a conversion.
  func apply(to options: inout ConversionOptions, _ shared: SharedOptions) {
    options.writing = writing
    options.verifiesOutputs = verifies
    options.manifest = manifest
    options.budget = shared.budget
  }

  /// Hands what was chosen to a translation.
  func apply(to options: inout ConfigTranslation.Options) {
    options.writing = writing
  }
}

/// What commands that write a whole directory can be told of it.
struct FolderOutput: Sendable {
  private var output: String?
  private var options = DirectoryOptions()

  static let flags: [BoundFlag<FolderOutput>] = [
    .path(
      "output", short: "o", "DIR", \.output, in: .output, "write to this new directory",
      manual: """
        The directory that is made. It appears complete or not at all. It may exist if it is empty.
        """),
    .toggle(
      "force", \.options.writing.replacesExisting, in: .output,
      "replace files in a directory that exists",
      manual: """
        Writes into a directory that has files already, and replaces those of the same names. It is
        refused where weights of other names would stay, since readers might take the old ones.
        """),
    .sync(\.options.writing.synchronizes),
    .dropUnsafe(\.options.reading.dropsUnsafe),
  ]

  /// The path of the directory.
  ///
  /// - Throws: when no directory is named.
  func destination(of command: String) throws(UsageError) -> String {
    guard let output else {
      throw UsageError(
        "\(command) makes a new directory, and none is named", hint: "add -o and a name for it")
    }
    return output
  }

  /// What holds for the directory, whatever its path.
  func options(_ shared: SharedOptions) -> DirectoryOptions {
    var options = options
    options.budget = shared.budget
    return options
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

internal import Converter

/// What commands that write a whole directory can be told of it.
struct FolderOutput: Sendable {
  private var output: String?
  private var options = FolderOptions()

  static let flags: [BoundFlag<FolderOutput>] = [
    .path(
      "output", short: "o", "DIR", \.output, in: .output, "write to this new directory",
      manual: """
        The directory that is made. It appears complete or not at all. It may exist if it is empty.
        """),
    .toggle(
      "force", \.options.replacesExisting, in: .output, "replace files in a directory that exists",
      manual: """
        Writes into a directory that has files already, and replaces those of the same names. It is
        refused where weights of other names would stay, since readers might take the old ones.
        """),
    .sync(\.options.synchronises),
    .dropUnsafe(\.options.dropsUnsafe),
  ]

  /// The path of the directory.
  ///
  /// - Throws: when no directory is named.
  func destination(of command: String) throws(UsageError) -> String {
    guard let output else {
      throw UsageError(
        "\(command) makes a new directory, and none is named", hint: "add -o and a name for it")
    }
    guard output != "-" else {
      throw UsageError(
        "a directory cannot be written to the standard output", hint: "add -o and a name for it")
    }
    return output
  }

  /// What holds for the directory, whatever its path.
  func options(_ shared: SharedOptions) -> FolderOptions {
    var options = options
    options.budget.threads = shared.threads
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

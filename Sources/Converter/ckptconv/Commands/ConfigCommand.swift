internal import CkptBase
internal import CkptBatch
internal import CkptConvert
internal import CkptCopy
internal import CkptModels

/// `ckptconv config`.
struct ConfigCommand: Command {
  static let name = "config"
  static let summary = "translate config.yaml to config.json or back"
  static let manual = """
    Translates the configuration of a model between OLMo's trainer and Hugging Face, and prints what
    became of every field. INPUT is a `config.yaml`, a `config.json`, or a directory that has one of
    them; it becomes the other. With `config.json` goes `generation_config.json`.

    The class is that which computes what OLMo computes: Olmo2ForCausalLM, OlmoForCausalLM or
    LlamaForCausalLM. What no class can represent is refused, with the field and the reason, and so is
    on the way back what OLMo's trainer cannot do. `config.json` is written so that transformers 4.48
    and later, 5 included, read it alike.

    A field is `mapped` to one of another name, `derived` by a formula, `defaulted` where one side does
    not decide it, or `not representable`. What only OLMo knows travels in `config.json` under the key
    `ckptconv` and returns: the whole `config.yaml` then means what it meant. Where `config.json` has
    been changed meanwhile, the change wins.

    On the way to OLMo, `--config` names a `config.yaml` that supplies what `config.json` does not know,
    such as how weights begin and everything about training. Without it the fields have the values of
    OLMo's official models, and there is nothing but the `model:` section.
    """
  static let examples = [
    Example(
      line: "ckptconv config step1000-unsharded -o olmo-hf",
      purpose: "Write config.json and generation_config.json of an OLMo checkpoint:"),
    Example(
      line: "ckptconv config olmo-hf/config.json --config recipe.yaml -o step0-unsharded",
      purpose: "Write a config.yaml to continue training with a recipe of your own:"),
  ]
  static let operands = Operands(usage: "INPUT", minimum: 1, maximum: 1, arePaths: true)

  private var destination = Destination.besideInput
  private var options = ConfigTranslation.Options()
  private var target: ConfigTarget?

  static let flags: [BoundFlag<ConfigCommand>] =
    [
      .destination(
        "output", short: "o", "PATH", \.destination, in: .output,
        "write to a directory, a file, or - (stdout)",
        manual: """
          Where the output goes. A PATH with the extension `.json`, `.yaml` or `.yml` is the name of
          the configuration; any other is a directory, which is made where it does not exist.
          The default is the directory of the input. The name `-` stands for the standard output,
          which takes the configuration only, and the report is not printed.
          """)
    ] + WritingOptions.flags.map { $0.lifted(to: \.options.writing) } + [
      .choice(
        "to", "SIDE", \.target, in: .content, "what to write: hf or olmo",
        manual: """
          What is written. It need be said only for a directory that has both; otherwise it is what
          the input is not.
          """),
      .path(
        "config", "TEMPLATE", \.options.template, in: .content,
        "take what config.json lacks from a config.yaml",
        manual: """
          A `config.yaml` that supplies what `config.json` does not know. Where the two contradict each
          other, `config.json` wins, and a warning says so.
          """),
      .keepEndOfText(\.options.huggingFace.keepsEndOfText),
      .toggle(
        "no-carry", \.options.huggingFace.carriesRest, to: false, in: .content,
        "leave out what only OLMo knows",
        manual: """
          Leaves out the key `ckptconv`, with which `config.yaml` returns as it was. It holds all of
          `config.yaml`, paths and names of runs included.
          """),
    ]

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try destination.check(operands, shared)
    if target == .hf, options.template != nil {
      throw .conflict("--to hf", "--config", because: "a template is for translations to OLMo")
    }
    if target == .olmo, options.huggingFace.keepsEndOfText {
      throw .conflict("--to olmo", "--keep-eos", because: "the token is one of OLMo's config.yaml")
    }
    if target == .olmo, !options.huggingFace.carriesRest {
      throw .conflict("--to olmo", "--no-carry", because: "nothing is carried to OLMo")
    }
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    TerminalSyscalls.stopGracefullyWhenInterrupted()
    let translation = try ConfigTranslation(
      of: operands[0], to: target?.target, into: destination, options)
    try translation.write()
    for warning in translation.warnings { console.warn(warning) }
    for file in translation.files {
      console.note("\(translation.source) -> \(file.path): \(translation.architecture.rawValue)")
    }
    if shared.json {
      try console.printJSON(translation.json(\.words))
    } else if destination != .standardOutput, !shared.quiet {
      try console.print(ConfigListing(translation).text(width: console.columns))
    }
    return .done
  }
}

extension ConfigCommand: BatchableCommand {
  func batchVerb() -> any BatchVerb {
    ConfigVerb(name: Self.name, to: target?.target, options)
  }
}

/// The sides that a configuration can be translated to.
enum ConfigTarget: String, FlagChoice {
  case hf, olmo

  var meaning: String {
    switch self {
    case .hf: "config.json and generation_config.json"
    case .olmo: "config.yaml"
    }
  }

  var target: ConfigTranslation.Target {
    switch self {
    case .hf: .huggingFace
    case .olmo: .olmo
    }
  }
}

/// What `ckptconv config` prints: a line for each field of the model, and one for everything else.
struct ConfigListing {
  private let entries: [FieldReport.Entry]
  private let isForHuggingFace: Bool

  init(_ translation: ConfigTranslation) {
    entries = translation.report.entries
    isForHuggingFace = translation.target == .huggingFace
  }

  /// The listing, no wider than `width` columns where that is given.
  func text(width: Int?) -> String {
    let rows = entries.filter { !Self.isSection($0) }.map { entry in
      [
        Self.bare(entry.olmo), entry.huggingFace ?? "-", entry.value, entry.status.rawValue,
        note(of: entry),
      ]
    }
    let table = Table(
      [.text("OLMo"), .text("Hugging Face"), .text("value"), .text("how"), .text("")], rows: rows)
    return [table.text(width: width), sections].compactMap(\.self).joined(separator: "\n")
  }

  /// The sections beside the model's.
  private var sections: String? {
    let sections = entries.filter(Self.isSection)
    guard let first = sections.first else { return nil }
    let names = sections.compactMap(\.olmo).map(\.harmless).joined(separator: ", ")
    let fate =
      switch (first.status, first.isCarried) {
      case (.notRepresentable, true): "not about the model, goes along in config.json"
      case (.notRepresentable, false): "not about the model, left out"
      default: first.note ?? ""
      }
    return "\(fate): \(names)\n"
  }

  private static func isSection(_ entry: FieldReport.Entry) -> Bool {
    entry.huggingFace == nil && entry.olmo?.hasPrefix("model.") == false
  }

  private static func bare(_ name: String?) -> String {
    name.map { String($0.dropFirst("model.".count)) } ?? "-"
  }

  private func note(of entry: FieldReport.Entry) -> String {
    // On the way to OLMo the note itself says where the value comes from.
    let goesAlong = entry.isCarried && isForHuggingFace
    return [entry.note, goesAlong ? "OLMo's own goes along in config.json" : nil]
      .compactMap(\.self).joined(separator: "; ")
  }
}

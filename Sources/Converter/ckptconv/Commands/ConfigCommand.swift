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
    Translates a model configuration from OLMo's trainer to Hugging Face or back, and lists the
    outcome of every field. INPUT is a `config.yaml`, a `config.json`, or a directory with one of
    them. `generation_config.json` is written together with `config.json`.

    The Hugging Face class is the one that computes the same as OLMo: Olmo2ForCausalLM,
    OlmoForCausalLM or LlamaForCausalLM. A model that no class can represent is refused, with the
    field and the reason. In the other direction, a model that OLMo's trainer cannot compute is
    refused. transformers 4.48 and later, including 5, read the `config.json` in the same way.

    A field is `mapped` to a field of another name, `derived` by a formula, `defaulted` if one side
    does not set it, or `not representable`. OLMo settings without a Hugging Face counterpart are
    kept in `config.json` under the key `ckptconv`, so that the way back restores the whole
    `config.yaml`. If `config.json` was edited, the edited values are used.

    On the way to OLMo, `--config` names a `config.yaml` with the settings that `config.json` does
    not have, such as the initialization of weights and everything about training. Without it the
    model has the values of OLMo's official models, and the output has only the `model:` section.
    """
  static let examples = [
    Example(
      line: "ckptconv config step1000-unsharded -o olmo-hf",
      purpose: "Translate the configuration of an OLMo checkpoint:"),
    Example(
      line: "ckptconv config olmo-hf/config.json --config recipe.yaml -o step0-unsharded",
      purpose: "Write a config.yaml to continue training with your own settings:"),
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
          The output. A PATH with the extension `.json`, `.yaml` or `.yml` is the configuration
          file. Any other PATH is a directory, which is created if needed. The default is the
          directory of the input. `-` is the standard output; only the configuration is written to
          it, without the report.
          """)
    ] + WritingOptions.flags.map { $0.lifted(to: \.options.writing) } + [
      .choice(
        "to", "SIDE", \.target, in: .content, "the target: hf or olmo",
        manual: """
          The target of the translation. It is needed only for a directory with both configurations.
          """),
      .path(
        "config", "TEMPLATE", \.options.template, in: .content,
        "read missing settings from a config.yaml",
        manual: """
          A `config.yaml` with the settings that `config.json` does not have. If the two contradict
          each other, `config.json` is used and a warning names the difference.
          """),
      .keepEndOfText(\.options.huggingFace.keepsEndOfText),
      .toggle(
        "no-carry", \.options.huggingFace.carriesRest, to: false, in: .content,
        "do not keep OLMo's own settings",
        manual: """
          Does not write the key `ckptconv`, which holds the whole `config.yaml` for the way back,
          including paths and names of runs.
          """),
    ]

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try destination.check(operands, shared)
    if target == .hf, options.template != nil {
      throw .conflict(
        "--to hf", "--config", because: "a template applies only to translations to OLMo")
    }
    if target == .olmo, options.huggingFace.keepsEndOfText {
      throw .conflict(
        "--to olmo", "--keep-eos", because: "the end-of-text token is read from OLMo's config.yaml")
    }
    if target == .olmo, !options.huggingFace.carriesRest {
      throw .conflict(
        "--to olmo", "--no-carry", because: "only config.json keeps OLMo's own settings")
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

/// A target of the translation.
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

/// The output of `ckptconv config`: a line for each field of the model, and one for the other
/// sections.
struct ConfigListing {
  private let entries: [FieldReport.Entry]
  private let isForHuggingFace: Bool

  init(_ translation: ConfigTranslation) {
    entries = translation.report.entries
    isForHuggingFace = translation.target == .huggingFace
  }

  /// Returns the listing, at most `width` columns wide if given.
  func text(width: Int?) -> String {
    let rows = entries.filter { !Self.isSection($0) }.map { entry in
      [
        Self.bare(entry.olmo), entry.huggingFace ?? "-", entry.value, entry.status.rawValue,
        note(of: entry),
      ]
    }
    let table = Table(
      [
        .name("OLMo"), .text("Hugging Face"), .text("value"), .text("outcome"), .detail(""),
      ],
      rows: rows)
    return [table.text(width: width), sections].compactMap(\.self).joined(separator: "\n")
  }

  /// The sections other than `model`.
  private var sections: String? {
    let sections = entries.filter(Self.isSection)
    guard let first = sections.first else { return nil }
    let names = sections.compactMap(\.olmo).map(\.harmless).joined(separator: ", ")
    let fate =
      switch (first.status, first.isCarried) {
      case (.notRepresentable, true): "not about the model, kept in config.json"
      case (.notRepresentable, false): "not about the model, not kept"
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
    // On the way to OLMo the note itself names the source of the value.
    let isKept = entry.isCarried && isForHuggingFace
    return [entry.note, isKept ? "OLMo's value is kept in config.json" : nil]
      .compactMap(\.self).joined(separator: "; ")
  }
}

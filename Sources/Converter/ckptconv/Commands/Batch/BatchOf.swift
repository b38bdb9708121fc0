internal import Batch
internal import Bytes

/// `ckptconv batch VERB`, for one verb.
struct BatchOf<Verb: BatchableCommand>: Command {
  static var name: String { "\(Batch.name) \(Verb.name)" }
  static var summary: String { Verb.summary }
  static var manual: String {
    [
      Verb.manual, Verb.batchManual,
      "What a batch adds to it, `ckptconv help \(Batch.name)` explains.",
    ].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
  static var examples: [Example] { [] }
  static var operands: Operands {
    Operands(
      usage: Verb().batchVerb().needsRoot ? "INPUT... -o ROOT" : "INPUT... [-o ROOT]", minimum: 0,
      maximum: nil, arePaths: true)
  }
  static var parent: (any Command.Type)? { Batch.self }

  /// The batch's flags, then those of the verb that the batch does not have itself.
  static var flags: [BoundFlag<BatchOf>] {
    BatchOptions.flags.map { $0.lifted(to: \.options) } + verbFlags.map { $0.lifted(to: \.verb) }
  }

  private static var verbFlags: [BoundFlag<Verb>] {
    let own = Set(BatchOptions.flags.map(\.flag.long)).union(Verb.flagsOfOneInput)
    return Verb.flags.filter { !own.contains($0.flag.long) }
  }

  /// The flags of the verb that are about the one input that it has elsewhere.
  static var refusedFlags: [BoundFlag<BatchOf>] {
    Verb.flags.map(\.flag).filter { Verb.flagsOfOneInput.contains($0.long) }.map { flag in
      BoundFlag(flag: flag) { _, _ throws(UsageError) in
        throw UsageError(
          "--\(flag.long) is of one checkpoint, and a batch has many",
          hint: "'\(FlagTable.program) \(Verb.name)' takes it, without \(Batch.name)")
      }
    }
  }

  private var options = BatchOptions()
  private var verb = Verb()

  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try verb.checkForBatch(operands, shared)
    try options.check(operands, writing: verb.batchVerb())
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(FormatError) -> ExitCode {
    // What decides the content of outputs: a run with other flags is another batch.
    let names = Set(Self.verbFlags.map(\.flag).filter { $0.section != .output }.map(\.long))
    let settings = shared.given.filter { given in
      names.contains(String(given.dropFirst(2).prefix { $0 != "=" }))
    }.joined(separator: " ")
    let session = BatchSession(
      verb: verb.batchVerb(), options, settings: settings, shared, console)
    return try session.run(on: operands)
  }
}

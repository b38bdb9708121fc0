/// A command as people meet it, without the types of its options.
struct CommandPage: Sendable {
  let name: String
  let summary: String
  let manual: String
  let examples: [Example]
  let operands: Operands
  /// The flags beside those that every command has.
  let ownFlags: [Flag]

  /// Reads what a command says of itself.
  init<C: Command>(_ command: C.Type) {
    name = C.name
    summary = C.summary
    manual = C.manual
    examples = C.examples
    operands = C.operands
    ownFlags = C.flags.map(\.flag)
  }

  /// The command's own flags, then those that every command has.
  var flags: [Flag] { ownFlags + SharedOptions.flags.map(\.flag) }

  /// `ckptconv inspect [FLAG...] INPUT...`.
  var usage: String { "\(FlagTable.program) \(name) [FLAG...] \(operands.usage)" }
}

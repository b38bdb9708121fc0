/// A command as people meet it, without the types of its options.
struct CommandPage: Sendable {
  let name: String
  let summary: String
  let manual: String
  let examples: [Example]
  let operands: Operands
  /// The flags beside those that every command and its parent have.
  let ownFlags: [Flag]
  /// The flags of the command whose name stands before its own.
  let parentFlags: [Flag]
  /// The name of that command, where there is one.
  let parent: String?
  /// The commands whose names stand after its own.
  let subpages: [CommandPage]

  /// Reads what a command says of itself.
  init<C: Command>(_ command: C.Type) {
    name = C.name
    summary = C.summary
    manual = C.manual
    examples = C.examples
    operands = C.operands
    parent = C.parent?.name
    parentFlags = C.parent.map { Self.pageFlags($0) } ?? []
    ownFlags = Array(C.flags.map(\.flag).dropFirst(parentFlags.count))
    subpages = C.subcommands.map { CommandPage($0) }
  }

  private static func pageFlags<C: Command>(_ command: C.Type) -> [Flag] { C.flags.map(\.flag) }

  /// The command's own flags, those of its parent, then those that every command has.
  var flags: [Flag] { ownFlags + parentFlags + SharedOptions.flags.map(\.flag) }

  /// All that can be completed after its name: its own flags and those of the commands below it.
  var completedFlags: [Flag] {
    var names: Set<String> = []
    return (ownFlags + subpages.flatMap(\.ownFlags)).filter { names.insert($0.long).inserted }
  }

  /// The words that call the commands below it.
  var words: [String] { subpages.map { String($0.name.dropFirst(name.count + 1)) } }

  /// `ckptconv inspect [FLAG...] INPUT...`.
  var usage: String {
    let head = "\(FlagTable.program) \(name)"
    return subpages.isEmpty
      ? "\(head) [FLAG...] \(operands.usage)" : "\(head) \(operands.usage) [FLAG...]"
  }
}

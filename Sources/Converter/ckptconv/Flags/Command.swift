internal import CkptBase

/// A command: what is said of it, its flags, and what it does.
///
/// An instance holds the values of the command's own flags. To add a command, write one such type
/// in a file of its own and list it in ``FlagTable/commands``; parser, help, manual and completions
/// follow.
protocol Command: Sendable {
  /// A command none of whose flags has been given.
  init()

  /// The word that calls it.
  static var name: String { get }
  /// One line for the list of commands: lower case, no final stop.
  static var summary: String { get }
  /// Paragraphs for the manual, in the markup of ``Document``.
  static var manual: String { get }
  /// Command lines worth copying.
  static var examples: [Example] { get }
  static var operands: Operands { get }
  /// The flags beside those that every command has.
  static var flags: [BoundFlag<Self>] { get }
  /// Flags that people may look for here: each throws why it cannot be given, and no help shows it.
  static var refusedFlags: [BoundFlag<Self>] { get }
  /// The command whose name stands before this one's, with whose flags its own begin.
  static var parent: (any Command.Type)? { get }
  /// The commands whose names stand after this one's, which then only says what they have in common.
  static var subcommands: [any Command.Type] { get }

  /// Refuses flags and operands that exclude each other; touches nothing outside the command.
  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError)

  /// Does it.
  ///
  /// - Throws: what stopped it, with the file it happened in.
  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode
}

extension Command {
  /// None: most commands take what they know.
  static var refusedFlags: [BoundFlag<Self>] { [] }
  /// None: most commands stand alone.
  static var parent: (any Command.Type)? { nil }
  /// None: most commands stand alone.
  static var subcommands: [any Command.Type] { [] }

  /// The word that calls it, without those of its parents.
  static var word: String { name.split(separator: " ").last.map(String.init) ?? name }
}

/// A command line and what it is good for.
struct Example: Hashable, Sendable {
  let line: String
  let purpose: String
}

/// The arguments of a command that are not flags.
struct Operands: Hashable, Sendable {
  /// How they stand in a usage line.
  let usage: String
  let minimum: Int
  /// The largest number; `nil` where there is none.
  let maximum: Int?
  /// Whether they are paths, for the completions.
  let arePaths: Bool

  /// One or more input files or directories.
  static let inputs = Operands(usage: "INPUT...", minimum: 1, maximum: nil, arePaths: true)

  /// Whether a command line may have `count` of them.
  func allows(_ count: Int) -> Bool {
    count >= minimum && count <= maximum ?? .max
  }
}

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

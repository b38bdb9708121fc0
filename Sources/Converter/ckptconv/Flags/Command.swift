internal import CkptBase

/// A command: its texts, its flags and its implementation.
///
/// An instance holds the values of the command's flags. To add a command, write such a type in a
/// file of its own and list it in ``FlagTable/groups``. The parser, help, manual and completions
/// follow.
protocol Command: Sendable {
  /// Creates a command without flags.
  init()

  /// The name of the command.
  static var name: String { get }
  /// One line for the list of commands: lower case, no final stop.
  static var summary: String { get }
  /// Paragraphs for the manual, in the markup of ``Document``.
  static var manual: String { get }
  /// Example command lines.
  static var examples: [Example] { get }
  static var operands: Operands { get }
  /// The flags of the command, without those that every command has.
  static var flags: [BoundFlag<Self>] { get }
  /// Flags that people may expect here. Each throws the reason why it is not accepted; no help
  /// shows it.
  static var refusedFlags: [BoundFlag<Self>] { get }
  /// The command that this one is a subcommand of. Its flags stand first in ``flags``.
  static var parent: (any Command.Type)? { get }
  /// The subcommands. A command that has some does nothing itself.
  static var subcommands: [any Command.Type] { get }

  /// Refuses flags and operands that exclude each other. It touches nothing outside the command.
  mutating func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError)

  /// Runs the command.
  ///
  /// - Throws: the error that stopped it, with its file.
  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode
}

extension Command {
  /// Empty: most commands have none.
  static var refusedFlags: [BoundFlag<Self>] { [] }
  /// `nil`: most commands are no subcommands.
  static var parent: (any Command.Type)? { nil }
  /// Empty: most commands have none.
  static var subcommands: [any Command.Type] { [] }

  /// The last word of the name.
  static var word: String { name.split(separator: " ").last.map(String.init) ?? name }
}

/// An example command line and its purpose.
struct Example: Hashable, Sendable {
  let line: String
  let purpose: String
}

/// The operands of a command: arguments that are not flags.
struct Operands: Hashable, Sendable {
  /// The operands in a usage line.
  let usage: String
  let minimum: Int
  /// The maximum number; `nil` for no limit.
  let maximum: Int?
  /// Whether they are paths, for the completions.
  let arePaths: Bool

  /// One or more input files or directories.
  static let inputs = Operands(usage: "INPUT...", minimum: 1, maximum: nil, arePaths: true)

  /// Whether a command line can have `count` operands.
  func allows(_ count: Int) -> Bool {
    count >= minimum && count <= maximum ?? .max
  }
}

/// A command as help shows it, without the types of its options.
struct CommandPage: Sendable {
  let name: String
  let summary: String
  let manual: String
  let examples: [Example]
  let operands: Operands
  /// The flags of the command, without those of every command and of its parent.
  let ownFlags: [Flag]
  /// The flags of the parent.
  let parentFlags: [Flag]
  /// The name of the parent, if there is one.
  let parent: String?
  /// The subcommands.
  let subpages: [CommandPage]

  /// Reads the texts and flags of a command.
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

  /// The command's own flags, then those of its parent, then those of every command.
  var flags: [Flag] { ownFlags + parentFlags + SharedOptions.flags.map(\.flag) }

  /// The flags to complete after its name: its own and those of its subcommands.
  var completedFlags: [Flag] {
    var names: Set<String> = []
    return (ownFlags + subpages.flatMap(\.ownFlags)).filter { names.insert($0.long).inserted }
  }

  /// The names of the subcommands, without that of the command.
  var words: [String] { subpages.map { String($0.name.dropFirst(name.count + 1)) } }

  /// `ckptconv inspect [FLAG...] INPUT...`.
  var usage: String {
    let head = "\(FlagTable.program) \(name)"
    return subpages.isEmpty
      ? "\(head) [FLAG...] \(operands.usage)" : "\(head) \(operands.usage) [FLAG...]"
  }
}

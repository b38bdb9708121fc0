internal import Bytes

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
  ) throws(FormatError) -> ExitCode
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

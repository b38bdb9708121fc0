/// A parsed command line; parsing has no effects.
enum Invocation: Sendable {
  case help(HelpPage, HelpLength)
  case version
  case generate(GeneratedText)
  case run(any Command, operands: [String], SharedOptions)

  /// Parses the arguments after the name of the program.
  ///
  /// - Throws: the first error in them.
  init(parsing arguments: ArraySlice<String>) throws(UsageError) {
    var options = ProgramOptions()
    var parser = ArgumentParser(arguments, flags: FlagTable.programFlags)
    let name = try parser.nextOperand(&options)
    if options.version {
      self = .version
    } else if let text = options.generate {
      self = .generate(text)
    } else if let name {
      self = try Invocation(name, parser.rest, options.shared)
    } else if let length = options.shared.help {
      self = .help(.program, length)
    } else {
      throw .noCommand
    }
  }

  private init(
    _ name: String, _ arguments: ArraySlice<String>, _ shared: SharedOptions
  ) throws(UsageError) {
    guard let command = FlagTable.commands.first(where: { $0.name == name }) else {
      throw .unknownCommand(name, among: FlagTable.commands.map { $0.name })
    }
    do {
      self =
        command.subcommands.isEmpty
        ? try Invocation(command, arguments, shared)
        : try Invocation(below: command, arguments, shared)
    } catch {
      var error = error
      error.command = error.command ?? name
      throw error
    }
  }

  /// Parses the arguments after a command that has subcommands.
  ///
  /// Flags of the command can be before and after the name of the subcommand.
  private init<C: Command>(
    below type: C.Type, _ arguments: ArraySlice<String>, _ shared: SharedOptions
  ) throws(UsageError) {
    var draft = Draft(command: C(), shared: shared)
    var parser = ArgumentParser(arguments, flags: Draft<C>.flags)
    guard let word = try parser.nextOperand(&draft) else {
      guard let length = draft.shared.help else {
        throw .operandCount(C.operands, of: C.name, found: 0)
      }
      self = .help(.command(CommandPage(type)), length)
      return
    }
    guard let command = C.subcommands.first(where: { $0.word == word }) else {
      throw .unknownSubcommand(word, of: C.name, among: C.subcommands.map { $0.word })
    }
    let before = arguments.prefix(arguments.count - parser.rest.count - 1)
    do {
      self = try Invocation(command, before + parser.rest, shared)
    } catch {
      var error = error
      error.command = command.name
      throw error
    }
  }

  private init<C: Command>(
    _ type: C.Type, _ arguments: ArraySlice<String>, _ shared: SharedOptions
  ) throws(UsageError) {
    var draft = Draft(command: C(), shared: shared)
    var parser = ArgumentParser(arguments, flags: Draft<C>.flags)
    var operands: [String] = []
    while let operand = try parser.nextOperand(&draft) { operands.append(operand) }
    if let length = draft.shared.help {
      self = .help(.command(CommandPage(type)), length)
      return
    }
    guard C.operands.allows(operands.count) else {
      throw .operandCount(C.operands, of: C.name, found: operands.count)
    }
    draft.shared.given = parser.given
    try draft.command.check(operands, draft.shared)
    self = .run(draft.command, operands: operands, draft.shared)
  }
}

/// A command whose flags are being parsed.
private struct Draft<C: Command> {
  var command: C
  var shared: SharedOptions

  static var flags: [BoundFlag<Draft>] {
    (C.flags + C.refusedFlags).map { $0.lifted(to: \.command) }
      + SharedOptions.flags.map { $0.lifted(to: \.shared) }
  }
}

/// Parses arguments with a list of flags: `--flag value`, `--flag=value`, `-f value`, `-fvalue`,
/// combined switches, and `--` before operands that look like flags.
struct ArgumentParser<Target> {
  private let flags: [BoundFlag<Target>]
  private var arguments: ArraySlice<String>
  private var values: [String: String] = [:]
  private var switches: Set<String> = []
  private var onlyOperandsFollow = false

  /// Creates a parser at the first of `arguments`.
  init(_ arguments: ArraySlice<String>, flags: [BoundFlag<Target>]) {
    self.arguments = arguments
    self.flags = flags
  }

  /// The arguments that are not parsed yet.
  var rest: ArraySlice<String> { arguments }

  /// The flags parsed so far, sorted by name: `--limit=5`, `--train`.
  var given: [String] {
    (values.map { "--\($0.key)=\($0.value)" } + switches.map { "--\($0)" }).sorted()
  }

  /// Applies flags to `target` up to the next operand and returns it; `nil` at the end.
  mutating func nextOperand(_ target: inout Target) throws(UsageError) -> String? {
    while let argument = arguments.popFirst() {
      if onlyOperandsFollow || !Self.looksLikeFlag(argument) { return argument }
      if argument == "--" {
        onlyOperandsFollow = true
      } else if argument.hasPrefix("--") {
        try readLong(argument.dropFirst(2), &target)
      } else {
        try readLetters(argument.dropFirst(), &target)
      }
    }
    return nil
  }

  /// A single `-` is a path: the standard input or output.
  private static func looksLikeFlag(_ argument: String) -> Bool {
    argument.hasPrefix("-") && argument != "-"
  }

  private mutating func readLong(_ text: Substring, _ target: inout Target) throws(UsageError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let bound = flags.first(where: { $0.flag.long == name }) else {
      throw unknown("--\(name)")
    }
    let attached = parts.count == 2 ? String(parts[1]) : nil
    if bound.flag.argument == .none {
      if let attached { throw .surplusValue(of: bound.flag, found: attached) }
      switches.insert(name)
      try bound.update(&target, "--\(name)")
    } else if let attached {
      try apply(bound, value: attached, &target)
    } else {
      try apply(bound, value: separateValue(of: bound.flag), &target)
    }
  }

  private mutating func readLetters(_ text: Substring, _ target: inout Target) throws(UsageError) {
    var letters = text
    while let letter = letters.popFirst() {
      guard let bound = flags.first(where: { $0.flag.short == letter }) else {
        throw unknown("-\(letter)")
      }
      if bound.flag.argument == .none {
        switches.insert(bound.flag.long)
        try bound.update(&target, "-\(letter)")
        continue
      }
      if letters.first == "=" { letters.removeFirst() }
      let value = letters.isEmpty ? try separateValue(of: bound.flag) : String(letters)
      return try apply(bound, value: value, &target)
    }
  }

  private mutating func separateValue(of flag: Flag) throws(UsageError) -> String {
    guard let value = arguments.first, !Self.looksLikeFlag(value) else {
      throw .missingValue(of: flag, found: arguments.first)
    }
    arguments.removeFirst()
    return value
  }

  private mutating func apply(
    _ bound: BoundFlag<Target>, value: String, _ target: inout Target
  ) throws(UsageError) {
    if let first = values.updateValue(value, forKey: bound.flag.long), first != value {
      throw .repeated(bound.flag, first, value)
    }
    try bound.update(&target, value)
  }

  private func unknown(_ name: String) -> UsageError {
    FlagTable.unknownFlag(name, among: flags.map(\.flag))
  }
}

/// What a command line asks for; to read one has no effects.
enum Invocation: Sendable {
  case help(HelpPage, HelpLength)
  case version
  case generate(GeneratedText)
  case run(any Command, operands: [String], SharedOptions)

  /// Reads the arguments after the program's name.
  ///
  /// - Throws: the first thing that is wrong with them.
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

  /// Reads what follows the name of a command that has others below it.
  ///
  /// Its flags stand on either side of the other's name.
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

/// A command while its flags are being read.
private struct Draft<C: Command> {
  var command: C
  var shared: SharedOptions

  static var flags: [BoundFlag<Draft>] {
    (C.flags + C.refusedFlags).map { $0.lifted(to: \.command) }
      + SharedOptions.flags.map { $0.lifted(to: \.shared) }
  }
}

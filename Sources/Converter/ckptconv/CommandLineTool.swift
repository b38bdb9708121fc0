internal import CkptBase
internal import CkptCompare
internal import CkptJSON

/// The program: parses the command line, runs the command and reports errors.
enum CommandLineTool {
  /// Runs the program with `arguments` and returns the exit code.
  static func run(_ arguments: ArraySlice<String>) -> ExitCode {
    TerminalSyscalls.letWritesFail()
    let invocation: Invocation
    do {
      invocation = try Invocation(parsing: arguments)
    } catch {
      Console(SharedOptions()).report(error)
      return .usage
    }
    let console = Console(invocation.shared)
    do {
      return try invocation.run(console)
    } catch {
      console.progress?.erase()
      if error.code == .cancelled, let signal = Interruption.signal {
        TerminalSyscalls.end(bySignal: signal)
      }
      console.report(error)
      if invocation.shared.json { try? console.printJSON(failure(error)) }
      return ExitCode(error)
    }
  }

  /// Returns the JSON document of a command that an error ended.
  private static func failure(_ error: CheckpointError) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.write([(input: error.path.first ?? "", error: error)], \.words)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

extension Invocation {
  /// The flags that every command has.
  fileprivate var shared: SharedOptions {
    guard case .run(_, _, let shared) = self else { return SharedOptions() }
    return shared
  }

  fileprivate func run(_ console: Console) throws(CheckpointError) -> ExitCode {
    switch self {
    case .help(let page, let length): try console.print(page.text(length, columns: console.columns))
    case .version: try console.print("\(FlagTable.program) \(Version.current)\n")
    case .generate(let text): try console.print(text.content)
    case .run(let command, let operands, let shared):
      return try command.run(on: operands, shared, console)
    }
    return .done
  }
}

/// The version of the program (semantic versioning).
enum Version {
  static let current = "0.1.0"
}

internal import CkptFormats
internal import CkptConvert

/// An error in a command line, and the correction.
struct UsageError: Error, Hashable, Sendable {
  /// One lower-case sentence without final stop.
  var message: String
  /// The correction, if it is known.
  var hint: String?
  /// The command that was being parsed, if there was one.
  var command: String?

  /// Creates an error from a sentence and a correction.
  init(_ message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }

  /// Returns several names as a list: `a, b or c`.
  private static func alternatives(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }

  /// Returns the hint with the name that was probably meant.
  private static func didYouMean(_ text: String, among names: [String]) -> String? {
    Suggestion.closest(to: text, among: names).map { "did you mean \($0)?" }
  }
}

extension UsageError {
  static func unknownFlag(_ name: String, among known: [String]) -> UsageError {
    if let usual = Synonyms.flags[name], known.contains(usual) {
      return UsageError("unknown flag \(name)", hint: "the flag is \(usual)")
    }
    return UsageError("unknown flag \(name)", hint: didYouMean(name, among: known))
  }

  static func foreignFlag(_ name: String, of owners: [String]) -> UsageError {
    UsageError(
      "\(name) is a flag of \(alternatives(owners))",
      hint: "put the flags of a command after its name")
  }

  static func programFlag(_ name: String) -> UsageError {
    UsageError(
      "\(name) cannot be used with a command", hint: "write '\(FlagTable.program) \(name)'")
  }

  static var noCommand: UsageError {
    UsageError("no command given", hint: "'\(FlagTable.program) -h' lists the commands")
  }

  static func unknownCommand(_ name: String, among known: [String]) -> UsageError {
    if let usual = Synonyms.commands[name] {
      return UsageError("unknown command '\(name)'", hint: "use \(usual)")
    }
    return UsageError("unknown command '\(name)'", hint: didYouMean(name, among: known))
  }

  static func unknownSubcommand(
    _ name: String, of command: String, among known: [String]
  ) -> UsageError {
    UsageError(
      "unknown \(command) verb '\(name)'",
      hint: didYouMean(name, among: known) ?? "the verbs are \(alternatives(known))")
  }

  static func unknownPage(_ name: String, among known: [String]) -> UsageError {
    UsageError(
      "no command or topic '\(name)'",
      hint: didYouMean(name, among: known) ?? "there are pages for \(alternatives(known))")
  }

  static func missingValue(of flag: Flag, found next: String?) -> UsageError {
    let needs = "--\(flag.long) needs a value, \(flag.valueName ?? "")"
    guard let next else { return UsageError(needs) }
    return UsageError(
      "\(needs), but '\(next)' looks like a flag",
      hint: "write --\(flag.long)=\(next) if it is the value")
  }

  static func surplusValue(of flag: Flag, found value: String) -> UsageError {
    UsageError("--\(flag.long) takes no value, found '\(value)'")
  }

  static func repeated(_ flag: Flag, _ first: String, _ second: String) -> UsageError {
    UsageError("--\(flag.long) is given twice, '\(first)' and '\(second)'", hint: "give it once")
  }

  static func badValue(of flag: String, needs: String, found value: String) -> UsageError {
    UsageError("--\(flag) needs \(needs), found '\(value)'")
  }

  static func badChoice(of flag: String, among names: [String], found value: String) -> UsageError {
    UsageError(
      "--\(flag) must be \(alternatives(names)), found '\(value)'",
      hint: didYouMean(value, among: names))
  }

  static func conflict(_ first: String, _ second: String, because reason: String) -> UsageError {
    UsageError("\(first) and \(second) cannot be combined: \(reason)")
  }

  static func operandCount(_ operands: Operands, of command: String, found: Int) -> UsageError {
    if found == 0, operands.usage.hasPrefix("INPUT") { return UsageError("no input given") }
    let count = found == 0 ? "none" : found == 1 ? "1 argument" : "\(found) arguments"
    return UsageError("\(command) takes \(operands.usage), found \(count)")
  }

  static func missingDirectory(of command: String) -> UsageError {
    UsageError(
      "\(command) needs an output directory", hint: "add -o DIR")
  }

  static func binaryOnTerminal(_ format: CheckpointFormat) -> UsageError {
    UsageError(
      "--output - would write a .\(format.fileExtension) file to the terminal",
      hint: "send it to a pipe or a file: '-o - > model.\(format.fileExtension)'")
  }

  /// Refuses `-` as an input.
  static func refuseStandardInput(_ inputs: [String]) throws(UsageError) {
    guard inputs.contains("-") else { return }
    throw UsageError(
      "the standard input cannot be an INPUT: checkpoints are not read in order",
      hint: "pass the path of a file; './-' is a file named '-'")
  }
}

/// The words of other programs for what this one does, for hints.
enum Synonyms {
  /// Commands, with those of this program.
  static let commands: [String: String] = [
    "convert":
      "'pt-to-safetensors' or 'safetensors-to-pt'; 'olmo-to-hf' makes a Hugging Face model",
    "ls": "'inspect'", "list": "'inspect'", "info": "'inspect'", "show": "'inspect'",
    "cat": "'inspect'", "compare": "'verify' for a proof, or 'diff' for numbers",
    "validate": "'check'", "merge": "'unshard'", "version": "'ckptconv --version'",
  ]
  /// Flags, with those of this program.
  static let flags: [String: String] = [
    "-v": "--version", "--overwrite": "--force", "-f": "--force", "-y": "--force",
    "--out": "--output", "--output-dir": "--output", "--jobs": "--threads", "-j": "--threads",
    "--silent": "--quiet", "--include": "--only", "--exclude": "--skip", "--type": "--dtype",
  ]
}

/// Suggests corrections for mistyped words.
enum Suggestion {
  /// Returns the name nearest to `text`, or `nil` if none is similar enough.
  static func closest(to text: String, among names: [String]) -> String? {
    let nearest =
      names
      .map { (name: $0, distance: distance(Array(text), Array($0))) }
      .min { $0.distance < $1.distance }
    if let nearest, nearest.distance <= max(1, text.count / 3) { return nearest.name }
    return names.first { text.count >= 3 && $0.hasPrefix(text) }
  }

  /// Returns the number of insertions, deletions, replacements and swaps of adjacent characters
  /// that turn one text into the other (the optimal string alignment distance).
  static func distance(_ from: [Character], _ to: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...to.count)
    for (row, character) in from.enumerated() {
      var current = [row + 1]
      for (column, other) in to.enumerated() {
        var best = min(
          last[column + 1] + 1, current[column] + 1, last[column] + (character == other ? 0 : 1))
        if row > 0, column > 0, character == to[column - 1], from[row - 1] == other {
          best = min(best, beforeLast[column - 1] + 1)
        }
        current.append(best)
      }
      (beforeLast, last) = (last, current)
    }
    return last[to.count]
  }
}

import Testing

/// One call of a command in a directory of files, what it prints, and what it leaves behind.
struct SessionCase: Sendable, CustomTestStringConvertible {
  let snapshot: String
  let arguments: [String]
  let exitCode: Int32
  /// The files that are there afterwards and were not before.
  let appears: [String]
  var testDescription: String { snapshot }

  init(
    _ name: String, of command: String, _ arguments: String, exit exitCode: Int32,
    appears: String...
  ) {
    snapshot = "\(command)-\(name).txt"
    self.arguments = [command] + arguments.words
    self.exitCode = exitCode
    self.appears = appears
  }

  /// Makes the call and holds all of it to what is recorded.
  func run(in workspace: Workspace) throws {
    let before = try workspace.files()
    let outcome = try workspace.run(arguments)
    #expect(outcome.exitCode == exitCode)
    #expect(try workspace.files() == (before + appears).sorted())
    try Snapshot.expect(Snapshot.session(arguments, outcome), matches: snapshot)
  }
}

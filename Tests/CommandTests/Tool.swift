import Foundation

/// The built `ckptconv`, run in a directory of its own.
struct Tool {
  /// The result of a run.
  struct Outcome: Equatable {
    var exitCode: Int32
    var output: String
    var errors: String
  }

  /// Stands beside the test bundle, because the test target depends on it.
  static let path: String = {
    let bundle = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = URL(fileURLWithPath: bundle ?? CommandLine.arguments[0])
      .deletingLastPathComponent()
    return folder.appendingPathComponent("ckptconv").path
  }()

  /// Nothing of the caller's environment can change what is printed.
  static let environment = ["PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C.UTF-8"]

  /// Runs the program with `arguments` and waits until it ends.
  static func run(_ arguments: [String]) throws -> Outcome {
    try inFreshDirectory { directory in
      let output = directory.appendingPathComponent("stdout")
      let errors = directory.appendingPathComponent("stderr")
      let exitCode = try run(
        arguments, in: directory, output: handle(writing: output), errors: handle(writing: errors))
      return Outcome(
        exitCode: exitCode,
        output: try String(contentsOf: output, encoding: .utf8),
        errors: try String(contentsOf: errors, encoding: .utf8))
    }
  }

  /// Runs a program with its streams as given and waits until it ends.
  static func run(
    _ arguments: [String], program: String = path, in directory: URL,
    environment: [String: String] = environment, output: FileHandle, errors: FileHandle
  ) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = environment
    process.currentDirectoryURL = directory
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// Calls `body` with a new directory and removes it afterwards.
  static func inFreshDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("ckptconv-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
  }

  /// A new file, opened for writing.
  static func handle(writing file: URL) throws -> FileHandle {
    try Data().write(to: file)
    return try FileHandle(forWritingTo: file)
  }
}

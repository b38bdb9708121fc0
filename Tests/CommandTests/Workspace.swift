import Foundation
import CkptTestSupport

/// A directory of one test, with copies of fixtures, in which the program runs.
final class Workspace {
  let directory: URL
  /// The output of the program, outside of the directory, which then holds only the program's own
  /// files.
  private let streams: URL

  init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("ckptconv-\(UUID().uuidString)")
    directory = folder.appendingPathComponent("work")
    streams = folder.appendingPathComponent("streams")
    for url in [directory, streams] {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
  }

  deinit { try? FileManager.default.removeItem(at: directory.deletingLastPathComponent()) }

  /// Copies a file or directory from `Fixtures`.
  func copy(_ fixture: String, as name: String) throws {
    try FileManager.default.createDirectory(
      at: url(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Fixture.path(fixture), toPath: url(name).path)
  }

  /// Makes an empty file, or a directory where the name ends with a slash.
  func make(_ name: String) throws {
    let directory = name.hasSuffix("/") ? url(name) : url(name).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    if !name.hasSuffix("/") { try write(Data(), to: name) }
  }

  /// Writes a file.
  func write(_ data: Data, to name: String) throws { try data.write(to: url(name)) }

  /// The bytes of a file.
  func bytes(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }

  /// Everything in the directory, hidden files too, in order; directories end with a slash.
  func files() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory.path).map { path in
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: url(path).path, isDirectory: &isDirectory)
      return isDirectory.boolValue ? "\(path)/" : path
    }.sorted()
  }

  /// Runs the program and waits until it ends.
  func run(_ arguments: [String]) throws -> Tool.Outcome {
    let (exitCode, output) = try runForBytes(arguments)
    return Tool.Outcome(
      exitCode: exitCode, output: String(decoding: output, as: UTF8.self),
      errors: try String(contentsOf: streams.appendingPathComponent("stderr"), encoding: .utf8))
  }

  /// Runs the program; its standard output as bytes.
  func runForBytes(_ arguments: [String]) throws -> (exitCode: Int32, output: Data) {
    let output = streams.appendingPathComponent("stdout")
    let errors = streams.appendingPathComponent("stderr")
    let exitCode = try Tool.run(
      arguments, in: directory, output: Tool.handle(writing: output),
      errors: Tool.handle(writing: errors))
    return (exitCode, try Data(contentsOf: output))
  }

  private func url(_ name: String) -> URL { directory.appendingPathComponent(name) }
}

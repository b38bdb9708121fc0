import Foundation
import Testing

/// The whole output of a command, kept in a file to compare with.
///
/// `RECORD_SNAPSHOTS=1 swift test --filter CommandTests` writes the files anew; the difference then
/// stands in the commit.
enum Snapshot {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("Snapshots")

  private static let isRecording = ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1"

  /// Expects `text` to be what the file `name` holds.
  static func expect(
    _ text: String, matches name: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let file = folder.appendingPathComponent(name)
    if isRecording { try text.write(to: file, atomically: true, encoding: .utf8) }
    let recorded = try? String(contentsOf: file, encoding: .utf8)
    #expect(text == recorded, "Snapshots/\(name) differs", sourceLocation: location)
  }

  /// A session as a reader would see it, with the streams told apart.
  static func session(_ arguments: [String], _ outcome: Tool.Outcome) -> String {
    let words = arguments.map { $0.contains(" ") || $0.isEmpty ? "'\($0)'" : $0 }
    return """
      $ \((["ckptconv"] + words).joined(separator: " "))
      [exit \(outcome.exitCode)]
      [standard error]
      \(outcome.errors)[standard output]
      \(outcome.output)
      """
  }
}

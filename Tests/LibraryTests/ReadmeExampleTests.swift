import Foundation
import CkptTestSupport
import Testing

@Suite("The library does what the README shows")
struct ReadmeExampleTests {
  @Test("The README's example is the code that is compiled here")
  func isCompiled() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let readme = try lines(of: tests.appendingPathComponent("../../README.md"))
    let source = try lines(of: tests.appendingPathComponent("ReadmeExample.swift"))
    let start = try #require(readme.firstIndex(of: "```swift"))
    let end = try #require(readme[start...].firstIndex(of: "```"))
    let body = try #require(source.firstIndex(of: "func convertAsInReadme() throws {"))
    #expect(readme[(start + 1)..<end].first == "import CkptConverter")
    #expect(
      readme[(start + 2)..<end].filter { !$0.isEmpty }
        == source[(body + 1)...].dropLast().filter { !$0.isEmpty })
  }

  @Test("It converts the file in the current directory")
  func runs() async {
    // The current directory is that of the whole process.
    await #expect(processExitsWith: .success) {
      let files = FileManager.default
      let directory = files.temporaryDirectory
        .appendingPathComponent("ckptconv-\(UUID().uuidString)")
      try files.createDirectory(at: directory, withIntermediateDirectories: true)
      defer { try? files.removeItem(at: directory) }
      try files.copyItem(
        atPath: Fixture.path("plain/state_dict-tied.pt"),
        toPath: directory.appendingPathComponent("model.pt").path)
      try #require(files.changeCurrentDirectoryPath(directory.path))
      try convertAsInReadme()
      let found = try files.contentsOfDirectory(atPath: directory.path).sorted()
      try #require(found == ["model.pt", "model.safetensors"])
    }
  }

  private func lines(of file: URL) throws -> [Substring] {
    try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n").map { $0.drop { $0 == " " } }
  }
}

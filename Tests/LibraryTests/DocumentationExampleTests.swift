import CkptConverter
import CkptTestSupport
import Foundation
import Testing

@Suite("The code in the documentation compiles and does what it shows")
struct DocumentationExampleTests {
  /// The documents with code that uses the library, and the number of their blocks.
  static let documents = [
    ("README.md", 2), ("Documentation/library.md", 1),
    ("Sources/Formats/Formats/CkptFormats.docc/CkptFormats.md", 1),
    ("Sources/Formats/Formats/CkptFormats.docc/ReadATensor.md", 5),
    ("Sources/Formats/Formats/CkptFormats.docc/WriteACheckpoint.md", 4),
    ("Sources/Converter/Converter/CkptConverter.docc/CkptConverter.md", 1),
    ("Sources/Converter/Converter/CkptConverter.docc/ConvertACheckpoint.md", 4),
    ("Sources/Converter/Converter/CkptConverter.docc/CompareAndCheck.md", 4),
  ]

  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../..")

  private func lines(of path: String) throws -> [Substring] {
    try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
      .split(separator: "\n").map { $0.drop { $0 == " " } }
  }

  @Test("Every block of Swift stands among the examples that are compiled", arguments: documents)
  func isCompiled(_ document: String, _ count: Int) throws {
    let examples = try lines(of: "Tests/LibraryTests/DocumentationExamples.swift")
    var rest = try lines(of: document)[...]
    var found = 0
    while let start = rest.firstIndex(of: "```swift") {
      let end = try #require(rest[start...].firstIndex(of: "```"))
      let block = rest[(start + 1)..<end].filter { !$0.hasPrefix("import ") }
      rest = rest[end...].dropFirst()
      found += 1
      // The manifest of a package is no code of a target.
      guard !block.contains(where: { $0.hasPrefix(".package(") }) else { continue }
      #expect(
        examples.indices.contains { examples[$0...].starts(with: block) },
        "\(document): \(block.first ?? "") is not in DocumentationExamples.swift")
    }
    #expect(found == count)
  }

  @Test("The README's example reads and converts the file in the current directory")
  func readme() async {
    // The current directory is that of the whole process.
    await #expect(processExitsWith: .success) {
      let directory = try CurrentDirectory()
      try directory.copy("plain/state_dict-tied.pt", to: "model.pt")
      try readmeExample()
      #expect(directory.names == ["model.pt", "model.safetensors"])
    }
  }

  @Test("The articles' examples write and change checkpoints")
  func articles() async {
    await #expect(processExitsWith: .success) {
      let directory = try CurrentDirectory()
      try saveArrays()
      let tiny = try Checkpoint(path: "tiny.pt")
      #expect(try tiny.tensors()["weight"]?.floats() == [1, 2, 3, 4, 5, 6])
      #expect(tiny.value(at: "config.betas.0")?.double == 0.9)

      var model = Checkpoint()
      try model.setTensor("head.weight", to: [1] as [Float], shape: [1])
      try model.setTensor("weight", to: [2] as [Float], shape: [1])
      try model.setTensor("step", to: [3] as [Int64], shape: [])
      try model.save(to: "model.pt")
      try model.save(to: "other.safetensors")
      try readATensor()
      try changeACheckpoint(Cancellation())
      let changed = try Checkpoint(path: "model.pt").tensors()
      #expect(changed.names == ["backbone.weight", "backbone.step", "head.weight"])
      #expect(changed["backbone.weight"]?.dtype == .bfloat16)
      #expect(try changed["head.weight"]?.floats() == [1])
      #expect(
        directory.names == ["backbone.safetensors", "model.pt", "other.safetensors", "tiny.pt"])
    }
  }
}

/// A new directory that the process works in from now on.
private struct CurrentDirectory {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try #require(FileManager.default.changeCurrentDirectoryPath(directory.path))
  }

  /// The names of the files in it.
  var names: [String] { directory.names }

  func copy(_ fixture: String, to name: String) throws {
    try FileManager.default.copyItem(
      atPath: Fixture.path(fixture), toPath: directory.path + "/" + name)
  }
}

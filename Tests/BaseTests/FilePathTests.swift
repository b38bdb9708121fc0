import CkptBase
import Testing

@Suite("A path is taken apart by its text alone")
struct FilePathTests {
  struct Parts: Sendable, CustomTestStringConvertible {
    let path: String
    let directory: String
    let name: String
    let renamed: String
    var testDescription: String { "'\(path)'" }
  }

  static let parts = [
    Parts(path: "model.pt", directory: ".", name: "model.pt", renamed: "model.st"),
    Parts(path: "run/model.pt", directory: "run", name: "model.pt", renamed: "model.st"),
    Parts(path: "/model.pt", directory: "/", name: "model.pt", renamed: "model.st"),
    Parts(path: "run//step1/", directory: "run/", name: "step1", renamed: "step1.st"),
    Parts(path: "a/b.c.d", directory: "a", name: "b.c.d", renamed: "b.c.st"),
    Parts(path: "a/.hidden", directory: "a", name: ".hidden", renamed: ".hidden.st"),
    Parts(path: "/", directory: "/", name: "/", renamed: "/.st"),
    Parts(path: "///", directory: "/", name: "/", renamed: "/.st"),
    // For Swift a slash and an accent behind it are one character; for the system they are two.
    Parts(
      path: "a/\u{301}b.\u{301}c", directory: "a", name: "\u{301}b.\u{301}c", renamed: "\u{301}b.st"
    ),
  ]

  @Test("A path is taken apart at its slashes, whatever follows them", arguments: parts)
  func takesApart(_ test: Parts) {
    let path = FilePath(test.path)
    #expect(path.directory.text == test.directory)
    #expect(path.name == test.name)
    #expect(path.name(withExtension: "st") == test.renamed)
    #expect(path.directory.appending(path.name).name == test.name)
  }
}

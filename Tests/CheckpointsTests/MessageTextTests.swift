import CkptBase
import CkptCheckpoints
import Testing

@Suite("A path in front of a text ends where the path ends")
struct MessageTextTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let place: String
    let rest: Substring?
    var testDescription: String { "\(place) in \(text)" }
  }

  static let cases = [
    Case(text: "run/model.pt: broken", place: "run", rest: "/model.pt: broken"),
    Case(text: "run: broken", place: "run", rest: ": broken"),
    Case(text: "run", place: "run", rest: ""),
    Case(text: "runs/", place: "runs/", rest: ""),
    Case(text: "runs/a", place: "runs/", rest: "a"),
    Case(text: "run-out/model.pt", place: "run", rest: nil),
    Case(text: "other", place: "run", rest: nil),
    // For Swift a slash and an accent behind it are one character; for the system they are two.
    Case(text: "run/\u{301}a: broken", place: "run", rest: "/\u{301}a: broken"),
  ]

  @Test("Nothing is cut out of a longer name", arguments: cases)
  func rest(_ test: Case) {
    #expect(FilePath.rest(of: test.text, behind: test.place) == test.rest)
  }
}

import CkptBase
import CkptTestSupport
import Testing

@testable import CkptBatch

@Suite("Lists of inputs are read line by line, OLMo's tables by their column")
struct InputListTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let arguments: [String]
    var testDescription: String { text }
  }

  /// The copies that exist for URLs.
  static let copies: Set<String> = [
    "olmo-checkpoints.org/ai2-llm/peteish1/step0-unsharded", "ai2-llm/peteish1/step300-unsharded",
  ]

  static let cases = [
    Case(text: "a.pt\nb c.pt\n", arguments: ["a.pt", "b c.pt"]),
    Case(text: "# steps\n\n  a.pt  \r\n\tb.pt", arguments: ["a.pt", "b.pt"]),
    Case(text: "runs/*/step1,2\n", arguments: ["runs/*/step1,2"]),
    Case(
      text: "Step,Checkpoint Directory\n0,runs/step0-unsharded/\n300,\"runs/a, b/step\"\"300\"\"\"",
      arguments: ["runs/step0-unsharded/", "runs/a, b/step\"300\""]),
    Case(
      text: "Ingredient,Step,Checkpoint Directory\n1,1000,stage2/i1/step1000\n",
      arguments: ["stage2/i1/step1000"]),
    Case(
      text: """
        Step,Checkpoint Directory
        0,https://olmo-checkpoints.org/ai2-llm/peteish1/step0-unsharded/
        300,https://olmo-checkpoints.org/ai2-llm/peteish1/step300-unsharded/
        """,
      arguments: [
        "olmo-checkpoints.org/ai2-llm/peteish1/step0-unsharded",
        "ai2-llm/peteish1/step300-unsharded",
      ]),
    Case(text: "file:///data/step0\n", arguments: ["/data/step0"]),
  ]

  @Test("Entries become arguments", arguments: cases)
  func reads(_ test: Case) throws {
    let arguments = try InputList.arguments(of: test.text) { path throws(CheckpointError) in
      Self.copies.contains(path)
    }
    #expect(arguments == test.arguments)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let text: String
    let message: String
    var testDescription: String { text }
  }

  static let refusals = [
    Refusal(text: "", message: "the list is empty"),
    Refusal(text: "# nothing\n", message: "the list is empty"),
    Refusal(
      text: "a.pt\ns3://bucket/step1/\n",
      message: "line 2 names 's3://bucket/step1/', but there is no local copy at "
        + "'bucket/step1' or 'step1'"),
    Refusal(
      text: "Step,Checkpoint Directory\n5\n",
      message: "line 2 has 1 columns, but 'Checkpoint Directory' is column 2"),
  ]

  @Test("What is no list of local paths is refused with its line", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let error = try #require(throws: CheckpointError.self) {
      _ = try InputList.arguments(of: test.text) { _ throws(CheckpointError) in false }
    }
    #expect(error.message == test.message)
  }

  @Test("A checkpoint that is taken for a list is refused")
  func refusesBinaries() throws {
    let error = try #require(throws: CheckpointError.self) {
      _ = try InputList.arguments(in: Fixture.path("plain/views.pt"))
    }
    #expect(error.message == "this is not text")
  }
}

import CkptBase
import Testing

@testable import CkptBatch

@Suite("The tree of outputs is that of the inputs")
struct OutputTreeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let bases: [String]
    let input: String
    let name: String
    var testDescription: String { "\(input) below \(bases.joined(separator: " "))" }
  }

  static let cases = [
    Case(bases: ["runs"], input: "runs/a/step1", name: "a/step1"),
    Case(bases: ["runs/"], input: "./runs//a/step1/", name: "a/step1"),
    Case(bases: ["runs/a", "runs/b"], input: "runs/b/step1", name: "b/step1"),
    Case(bases: ["runs/a", "runs/ab"], input: "runs/ab/step1", name: "ab/step1"),
    Case(bases: ["/data/x", "/work/runs"], input: "/data/x/m.pt", name: "data/x/m.pt"),
    Case(bases: ["/work/here/a", "a"], input: "a/m.pt", name: "m.pt"),
    Case(bases: ["../a"], input: "../a/m.pt", name: "m.pt"),
    Case(bases: ["../../../.."], input: "../../../../m.pt", name: "m.pt"),
    Case(bases: ["."], input: ".", name: "here"),
  ]

  @Test("Names are paths from the directory that all have in common", arguments: cases)
  func names(_ test: Case) {
    let tree = OutputTree(bases: test.bases, currentDirectory: "/work/here")
    #expect(tree.name(of: test.input) == test.name)
  }

  @Test("Numbered names are in the order of their numbers")
  func naturalOrder() {
    let names = ["step9", "step10", "step010", "step9a", "a", "step", "step100", "b2/x1", "b10/x0"]
    #expect(
      names.sorted(by: NaturalOrder.precedes)
        == ["a", "b2/x1", "b10/x0", "step", "step9", "step9a", "step010", "step10", "step100"])
  }

  @Test("Two inputs whose outputs would have one name are told, and the first one stays")
  func collisions() throws {
    func item(_ input: String) -> BatchItem {
      BatchItem(
        name: input, input: input,
        work: .success(FakeWork(reads: [input], writes: ["out/model.safetensors"])),
        readByteCount: 0)
    }
    let plan = BatchPlan(items: [item("model.pt"), item("model.bin")])
    #expect(throws: Never.self) { try plan.items[0].work.get() }
    let error = try #require(throws: CheckpointError.self) { try plan.items[1].work.get() }
    #expect(
      error.message
        == "'model.pt' and 'model.bin' would both be written to 'out/model.safetensors'")
  }
}

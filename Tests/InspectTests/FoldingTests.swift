import Testing

@testable import CkptInspect

@Suite("Names that differ only in numbers are one row")
struct FoldingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let names: [String]
    let folded: [String]

    init(_ name: String, _ names: [String], _ folded: [String]) {
      testDescription = name
      (self.names, self.folded) = (names, folded)
    }
  }

  static let cases = [
    Case(
      "layers", ["wte", "h.0.w", "h.0.b", "h.1.w", "h.1.b", "h.2.w"],
      ["wte", "h.0-2.w", "h.0-1.b"]),
    Case("experts of layers", ["h.0.e.0.w", "h.0.e.1.w", "h.1.e.0.w"], ["h.0-1.e.0-1.w"]),
    Case("a gap", ["h.0", "h.1", "h.7"], ["h.0-1,7"]),
    Case("many gaps", ["h.0", "h.2", "h.4", "h.6"], ["h.0-6"]),
    Case("one tensor with a number", ["h.3.w"], ["h.3.w"]),
    Case("words with digits", ["conv1.w", "conv2.w"], ["conv1.w", "conv2.w"]),
    Case("numbers that are no indices", ["a.007", "a.12345678"], ["a.007", "a.12345678"]),
    Case("only numbers", ["0", "1"], ["0-1"]),
    Case("empty components", ["", ".", "a..0", "a..1"], ["", ".", "a..0-1"]),
  ]

  @Test("Rows fold by their names", arguments: cases)
  func folds(_ test: Case) {
    let groups = FoldedRows(test.names, name: { $0 }, kind: { _ in "" }).groups
    #expect(groups.map(\.name) == test.folded)
    #expect(groups.flatMap(\.rows).sorted() == test.names.sorted())
  }

  @Test("Rows of two kinds remain two")
  func keepsKinds() {
    let rows = [("h.0", "f32"), ("h.1", "bf16"), ("h.2", "f32")]
    let groups = FoldedRows(rows, name: \.0, kind: \.1).groups
    #expect(groups.map(\.name) == ["h.0,2", "h.1"])
  }

  private static func tensor(_ name: String) -> Inspection.TensorRow {
    Inspection.TensorRow(
      name: name, dtype: "float32", shape: [2, 3], byteCount: 24, strides: nil, storage: "0",
      storageUses: 1, storageByteCount: 24, requiresGradient: false)
  }

  @Test("A tree adds up the tensors of modules")
  func tree() {
    let names = ["wte.weight", "h.0.a.w", "h.0.a.b", "h.1.a.w", "scale"]
    let modules = ModuleTree(of: names.map(Self.tensor), depth: nil).all
    #expect(
      modules.map { "\($0.depth) \($0.name) \($0.tensorCount) \($0.elementCount) \($0.byteCount)" }
        == ["0 wte 1 6 24", "0 h.0-1 3 18 72", "1 a 3 18 72", "0 scale 1 6 24"])
  }

  @Test("A name with a million dots is a few modules")
  func deepNames() {
    let name = String(repeating: "a.", count: 1_000_000) + "w"
    let modules = ModuleTree(of: [Self.tensor(name)], depth: nil).all
    #expect(modules.count == ModuleTree.maximumDepth)
  }
}

import CkptCheckpoints
import Testing

@testable import CkptInspect
@testable import ckptconv

@Suite("inspect lists tensors and values")
struct InspectionListingTests {
  private static let tensors = [
    tensor("b", "float32", [2, 3], byteCount: 24),
    tensor("c", "bfloat16", [1000], byteCount: 2000),
    tensor("a", "float32", [], byteCount: 4),
  ]
  private static let values = [
    Inspection.ValueRow(name: "step", text: "6"),
    Inspection.ValueRow(name: "name", text: "'x\u{7}'"),
    Inspection.ValueRow(name: "norm.training", text: "True"),
  ]

  private static func tensor(
    _ name: String, _ dtype: String, _ shape: [Int], byteCount: Int
  ) -> Inspection.TensorRow {
    Inspection.TensorRow(
      name: name, dtype: dtype, shape: shape, byteCount: byteCount, strides: nil, storage: "0",
      storageUses: 1, storageByteCount: byteCount, requiresGradient: false)
  }

  private func listing(
    _ tensors: [Inspection.TensorRow] = Self.tensors, _ values: [Inspection.ValueRow] = Self.values,
    width: Int? = nil, _ change: (inout InspectionView) -> Void = { _ in }
  ) -> String {
    var view = InspectionView()
    change(&view)
    let inspection = Inspection(
      path: "model.pt", container: nil, byteCount: 4000, facts: StateFacts(kind: .model),
      tensors: tensors, values: values, opaqueGlobals: ["m.C"], storageCount: 0,
      storageByteCount: 0, warnings: [])
    return InspectionListing(inspection, view, width: width).text
  }

  @Test("Everything, in the order of the file")
  func everything() {
    #expect(
      listing() == #"""

        tensor  dtype     shape      size
        b       float32   [2, 3]     24 B
        c       bfloat16  [1000]  2.00 kB
        a       float32   []          4 B

        value
        step                   6
        name                   'x\u{7}'
        attributes of modules  1 (--values lists them)

        unknown classes: m.C
        bfloat16: 1 tensor, 1.00 k parameters, 2.00 kB; float32: 2 tensors, 7 parameters, 28 B
        3 tensors, 1.01 k parameters, 2.03 kB; 3 values

        """#)
  }

  @Test("A tensor that is not simply all of its storage says so")
  func unusualStorages() {
    var shared = Self.tensor("a", "float32", [2], byteCount: 8)
    shared.storageUses = 2
    var part = Self.tensor("b", "float32", [2], byteCount: 8)
    part.storageByteCount = 4000
    part.strides = [2]
    var meta = Self.tensor("c", "float32", [2], byteCount: 8)
    meta.storage = nil
    let notes = listing([shared, part, meta], []).split(separator: "\n").dropFirst().prefix(3).map {
      $0.split(separator: "8 B  ").last.map(String.init)
    }
    #expect(
      notes == [
        "storage 0 shared by 2", "of a storage of 4.00 kB, strides [2]", "no data (meta device)",
      ])
  }

  struct Sorting: Sendable {
    let order: TensorOrder
    let names: [String]
  }

  static let sortings = [
    Sorting(order: .file, names: ["b", "c", "a"]),
    Sorting(order: .name, names: ["a", "b", "c"]),
    Sorting(order: .size, names: ["c", "b", "a"]),
  ]

  @Test("Tensors are ordered as asked", arguments: sortings)
  func orders(_ test: Sorting) {
    let rows = listing { $0.order = test.order }.split(separator: "\n").dropFirst()
    #expect(rows.prefix(3).map { String($0.prefix(1)) } == test.names)
  }

  struct Choice: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let view: InspectionView
    let names: [String]

    init(_ name: String, names: [String], _ change: (inout InspectionView) -> Void) {
      testDescription = name
      var view = InspectionView()
      change(&view)
      self.view = view
      self.names = names
    }
  }

  static let choices = [
    Choice("only tensors", names: ["tensor", "b", "c", "a"]) { $0.onlyTensors = true },
    Choice("only values", names: ["value", "step", "name", "norm.training"]) {
      $0.onlyValues = true
    },
    Choice("matching names", names: ["tensor", "b", "a", "value", "name"]) {
      $0.names.only = ["?", "name"]
      $0.names.skip = ["c"]
    },
    Choice("one row of each kind", names: ["tensor", "b", "value", "step", "attributes"]) {
      $0.limit = 1
    },
  ]

  @Test("Flags choose the rows", arguments: choices)
  func chooses(_ test: Choice) {
    let names = listing { $0 = test.view }.split(separator: "\n").filter {
      !$0.contains("unknown classes") && !$0.contains("parameters") && !$0.hasSuffix(" values")
    }.compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names == test.names)
  }

  @Test("What is left out is counted")
  func limits() {
    #expect(listing { $0.limit = 1 }.hasSuffix("2.03 kB; 3 values; 3 not listed\n"))
  }

  private static let layers = (0..<30).flatMap { layer in
    ["att_proj", "ff_proj"].map {
      tensor("blocks.\(layer).\($0).weight", "float32", [8, 8], byteCount: 256)
    }
  }

  @Test(
    "On a terminal the layers of a model are one row, with --tensors and in a pipe each has its own"
  )
  func folds() {
    #expect(
      listing(Self.layers, [], width: 80).contains(
        """
        tensor                       dtype    shape   count     size
        blocks.0-29.att_proj.weight  float32  [8, 8]     30  7.68 kB
        blocks.0-29.ff_proj.weight   float32  [8, 8]     30  7.68 kB

        """))
    for text in [
      listing(Self.layers, []), listing(Self.layers, [], width: 80) { $0.onlyTensors = true },
    ] {
      for tensor in Self.layers.prefix(12) { #expect(text.contains("\n\(tensor.name) ")) }
    }
  }

  @Test("A tree has the totals of modules, down to a depth")
  func tree() {
    #expect(
      listing(Self.layers, []) { $0.showsTree = true }.contains(
        """
        module       tensors  parameters     size
        blocks.0-29       60      3.84 k  15.4 kB
          att_proj        30      1.92 k  7.68 kB
          ff_proj         30      1.92 k  7.68 kB

        """))
    #expect(!listing(Self.layers, []) { $0.depth = 1 }.contains("att_proj"))
  }
}

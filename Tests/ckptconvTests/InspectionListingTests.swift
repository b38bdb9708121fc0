import Testing

@testable import CkptInspect
@testable import ckptconv

@Suite("inspect lists tensors and values")
struct InspectionListingTests {
  private func listing(order: TensorOrder = .file, limit: Int = .max) -> InspectionListing {
    InspectionListing(
      heading: "model.pt: torch-zip",
      tensors: [
        tensor("b", "float32", [2, 3], byteCount: 24),
        tensor("c", "bfloat16", [1000], byteCount: 2000),
        tensor("a", "float32", [], byteCount: 4),
      ],
      values: [
        Inspection.ValueRow(name: "step", text: "6"),
        Inspection.ValueRow(name: "name", text: "'x\u{7}'"),
      ],
      opaqueGlobals: ["m.C"], order: order, limit: limit)
  }

  private func tensor(
    _ name: String, _ dtype: String, _ shape: [Int], byteCount: Int
  ) -> Inspection.TensorRow {
    Inspection.TensorRow(
      name: name, dtype: dtype, shape: shape, byteCount: byteCount, strides: nil, storage: "0",
      storageUses: 1, storageByteCount: byteCount, requiresGradient: false)
  }

  @Test("Everything, in the order of the file")
  func everything() {
    #expect(
      listing().text(width: nil) == #"""
        model.pt: torch-zip

        tensor  dtype     shape      size
        b       float32   [2, 3]     24 B
        c       bfloat16  [1000]  2.00 kB
        a       float32   []          4 B

        value
        step   6
        name   'x\u{7}'

        unknown classes: m.C
        3 tensors, 2.03 kB; 2 values

        """#)
  }

  @Test("A tensor that is not simply all of its storage says so")
  func unusualStorages() {
    var shared = tensor("a", "float32", [2], byteCount: 8)
    shared.storageUses = 2
    var part = tensor("b", "float32", [2], byteCount: 8)
    part.storageByteCount = 4000
    part.strides = [2]
    var meta = tensor("c", "float32", [2], byteCount: 8)
    meta.storage = nil
    let listing = InspectionListing(
      heading: "x", tensors: [shared, part, meta], values: [], opaqueGlobals: [], order: .file,
      limit: .max)
    let notes = listing.text(width: nil).split(separator: "\n").dropFirst(2).prefix(3).map {
      $0.split(separator: "8 B  ").last.map(String.init)
    }
    #expect(
      notes == [
        "storage 0 shared by 2", "of a storage of 4.00 kB, strides [2]", "no data (meta device)",
      ])
  }

  struct Case: Sendable {
    let order: TensorOrder
    let names: [String]
  }

  static let cases = [
    Case(order: .file, names: ["b", "c", "a"]),
    Case(order: .name, names: ["a", "b", "c"]),
    Case(order: .size, names: ["c", "b", "a"]),
  ]

  @Test("Tensors are ordered as asked", arguments: cases)
  func orders(_ test: Case) {
    let rows = listing(order: test.order).text(width: nil).split(separator: "\n").dropFirst(2)
    #expect(rows.prefix(3).map { String($0.prefix(1)) } == test.names)
  }

  @Test("What is left out is counted")
  func limits() {
    #expect(
      listing(limit: 1).text(width: nil) == """
        model.pt: torch-zip

        tensor  dtype    shape   size
        b       float32  [2, 3]  24 B

        value
        step   6

        unknown classes: m.C
        3 tensors, 2.03 kB; 2 values; 3 not listed

        """)
  }
}

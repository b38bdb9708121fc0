import Converter
import Testing

@testable import ckptconv

@Suite("inspect lists tensors and values")
struct ListingTests {
  private let inspection = Inspection(
    path: "model.pt", kind: "PyTorch ZIP archive",
    tensors: [
      Inspection.Tensor(name: "b", dtype: "f32", shape: [2, 3], byteCount: 24),
      Inspection.Tensor(name: "c", dtype: "bf16", shape: [1000], byteCount: 2000),
      Inspection.Tensor(name: "a", dtype: "f32", shape: [], byteCount: 4),
    ],
    values: [(path: "step", text: "6"), (path: "name", text: "'x\u{7}'")])

  @Test("Everything, in the order of the file")
  func everything() {
    #expect(
      Listing(inspection, order: .file, limit: nil).text(width: nil) == #"""
        model.pt: PyTorch ZIP archive

        tensor  dtype  shape      size
        b       f32    [2, 3]     24 B
        c       bf16   [1000]  2.00 kB
        a       f32    []          4 B

        value
        step   6
        name   'x\u{7}'

        3 tensors, 2.02 kB; 2 values

        """#)
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
    let lines = Listing(inspection, order: test.order, limit: nil).text(width: nil)
      .split(separator: "\n").dropFirst(2).prefix(3)
    #expect(lines.map { String($0.prefix(1)) } == test.names)
  }

  @Test("What is left out is counted")
  func limits() {
    #expect(
      Listing(inspection, order: .file, limit: 1).text(width: nil) == """
        model.pt: PyTorch ZIP archive

        tensor  dtype  shape   size
        b       f32    [2, 3]  24 B

        value
        step   6

        3 tensors, 2.02 kB; 2 values; 3 not listed

        """)
  }
}

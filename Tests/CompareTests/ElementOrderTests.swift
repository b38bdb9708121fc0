import CkptBase
import CkptGraph
import CkptPlan
import CkptTestSupport
import Testing

@testable import CkptCompare

@Suite("Elements are compared in an order that both sides have")
struct ElementOrderTests {
  private static func tensor(_ shape: [Int], _ strides: [Int]) throws -> Tensor {
    var graph = TensorGraph()
    return Tensor(
      node: try graph.add(.none), dtype: .uint8, shape: shape, strides: strides, offset: 0,
      storage: nil)
  }

  @Test(
    "A tensor is dense when it fills a stretch of its storage, in whatever order",
    arguments: [
      ([2, 3], [3, 1], true), ([3, 2], [1, 3], true), ([2, 3], [4, 1], false), ([4], [0], false),
      ([2, 1, 3], [3, 99, 1], true), ([], [], true), ([2, 2], [1, 1], false),
    ])
  func dense(shape: [Int], strides: [Int], isDense: Bool) throws {
    #expect(try Self.tensor(shape, strides).isDense == isDense)
  }

  @Test("Numbers of elements become indices, in row-major order and in that of the storage")
  func indices() throws {
    let turned = try Self.tensor([3, 2], [1, 3])
    let rowMajor = (0..<6).map { turned.indices(ofElement: $0, inStorageOrder: false) }
    #expect(rowMajor == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
    let stored = (0..<6).map { turned.indices(ofElement: $0, inStorageOrder: true) }
    #expect(stored == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]])
  }

  @Test(
    "A gather in parts has its elements in their order, in parts no larger than asked for",
    arguments: [1, 2, 5, 7, 12, 59, 60, 1000])
  func parts(limit: Int) throws {
    let file = try TemporaryFile.holding([])
    let elements = StridedElements(
      byteOffset: 7, shape: [3, 1, 4, 5], byteStrides: [2, 0, 60, 8], elementByteCount: 2)
    let region = FileRegion(source: file, range: 0..<1000, name: "x")
    let whole = Self.offsets(.gather(region, elements))
    let parts = Segment.gather(region, elements).parts(ofAtMost: limit)
    #expect(parts.flatMap(Self.offsets) == whole)
    #expect(parts.allSatisfy { $0.byteCount <= 2 * limit })
    #expect(parts.count >= 60 / limit)
  }

  /// The places of a gather's elements in their order.
  private static func offsets(_ segment: Segment) -> [Int] {
    guard case .gather(_, let elements) = segment else { return [] }
    var offsets = [elements.byteOffset]
    for (count, stride) in zip(elements.shape, elements.byteStrides) {
      offsets = offsets.flatMap { offset in (0..<count).map { offset + $0 * stride } }
    }
    return offsets
  }
}

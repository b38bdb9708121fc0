import Testing

@testable import CkptGraph

/// The bytes of a storage that tensors use.
struct StorageCoverageTests {
  struct View: Sendable {
    var dtype = DType.uint8
    var shape: [Int]
    var strides: [Int]
    var offset = 0
  }

  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var byteCount: Int
    var views: [View]
    var missed: Int
  }

  static let cases = [
    Case(testDescription: "no tensor", byteCount: 5, views: [], missed: 5),
    Case(
      testDescription: "all of it", byteCount: 12,
      views: [View(dtype: .float32, shape: [3], strides: [1])], missed: 0),
    Case(
      testDescription: "the middle", byteCount: 12,
      views: [View(dtype: .float32, shape: [1], strides: [1], offset: 1)], missed: 8),
    Case(
      testDescription: "a transposed whole", byteCount: 6,
      views: [View(shape: [3, 2], strides: [1, 3])], missed: 0),
    Case(
      testDescription: "every second", byteCount: 9, views: [View(shape: [5], strides: [2])],
      missed: 4),
    Case(
      testDescription: "both halves of alternating elements", byteCount: 10,
      views: [View(shape: [5], strides: [2]), View(shape: [5], strides: [2], offset: 1)],
      missed: 0),
    Case(
      testDescription: "overlapping views", byteCount: 10,
      views: [View(shape: [6], strides: [1]), View(shape: [6], strides: [1], offset: 2)],
      missed: 2),
    Case(
      testDescription: "one view inside of another", byteCount: 10,
      views: [View(shape: [8], strides: [1]), View(shape: [2], strides: [1], offset: 3)],
      missed: 2),
    Case(
      testDescription: "columns of a matrix", byteCount: 12,
      views: [View(shape: [3, 2], strides: [4, 1], offset: 1)], missed: 6),
    Case(
      testDescription: "an expanded element", byteCount: 4,
      views: [View(shape: [1 << 40], strides: [0], offset: 3)], missed: 3),
    Case(
      testDescription: "a wild stride of one element", byteCount: 4,
      views: [View(shape: [1, 2], strides: [.max, 1])], missed: 2),
    Case(
      testDescription: "no elements with a wild offset", byteCount: 4,
      views: [View(shape: [0], strides: [1], offset: .max)], missed: 4),
    Case(
      testDescription: "a scalar", byteCount: 4,
      views: [View(dtype: .int16, shape: [], strides: [])], missed: 2),
    Case(
      testDescription: "windows that overlap", byteCount: 8,
      views: [View(shape: [3, 4], strides: [1, 1])], missed: 2),
    Case(
      testDescription: "more runs than are counted one by one", byteCount: 1_048_576,
      views: [View(shape: [262_144], strides: [3])], missed: 1_048_576 - 786_430),
  ]

  @Test("The bytes that no tensor reaches are counted", arguments: cases)
  func missed(_ test: Case) {
    let storage = StorageID(index: 0)
    var coverage = StorageCoverage()
    for view in test.views {
      coverage.add(
        Tensor(
          node: NodeID(index: 0), dtype: view.dtype, shape: view.shape, strides: view.strides,
          offset: view.offset, storage: storage))
    }
    #expect(coverage.missedByteCount(of: storage, byteCount: test.byteCount) == test.missed)
    #expect(coverage.missedByteCount(of: StorageID(index: 1), byteCount: 3) == 3)
  }
}

import Testing

@testable import CkptSafetensors

/// The assignment of tensors to shards; `Tests/Interop/test_shards.py` compares with
/// huggingface_hub.
struct ShardSplitTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sizes: [Int]
    let shards: [[Int]]
  }

  /// Files of up to 10 bytes.
  static let cases = [
    Case(testDescription: "no tensors", sizes: [], shards: []),
    Case(testDescription: "all in one", sizes: [3, 3, 4], shards: [[0, 1, 2]]),
    Case(testDescription: "full to the byte", sizes: [6, 4, 10, 1], shards: [[0, 1], [2], [3]]),
    Case(
      testDescription: "no search for a better fit", sizes: [6, 6, 2, 6, 2, 2],
      shards: [[0], [1, 2], [3, 4, 5]]),
    Case(
      testDescription: "a tensor that is too large stands alone and before the file it interrupts",
      sizes: [3, 11, 3, 12, 3, 3], shards: [[1], [3], [0, 2, 4], [5]]),
    Case(testDescription: "only tensors that are too large", sizes: [11, 12], shards: [[0], [1]]),
    Case(
      testDescription: "tensors without elements stay together", sizes: [0, 9, 0, 9, 0],
      shards: [[0, 1, 2, 4], [3]]),
    Case(testDescription: "nothing but empty tensors", sizes: [0, 0], shards: [[0, 1]]),
    Case(
      testDescription: "sizes whose sum is beyond 64 bits", sizes: [.max, 10, .max - 1],
      shards: [[0], [2], [1]]),
  ]

  @Test("Files are filled in the order of the tensors", arguments: cases)
  func splits(_ test: Case) {
    #expect(ShardSplit(byteCounts: test.sizes, maximum: 10).shards == test.shards)
  }
}

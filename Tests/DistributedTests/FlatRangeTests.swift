import Testing

@testable import CkptDistributed

@Suite("Ranges of flattened parameters")
struct FlatRangeTests {
  static let shapes: [[Int]] = [[], [7], [3, 4], [4, 1], [2, 3, 4], [1, 1, 5], [3, 2, 1, 2]]

  @Test("Every range of every shape is covered once, in order", arguments: shapes)
  func coversRanges(_ shape: [Int]) {
    let count = shape.reduce(1, *)
    for start in 0...count {
      for end in start...count {
        let boxes = FlatRange(start..<end, in: shape).boxes
        #expect(boxes.flatMap { elements(of: $0, in: shape) } == Array(start..<end))
        #expect(boxes.map(\.start) == starts(of: boxes))
        #expect(boxes.count <= max(2 * shape.count - 1, 1))
      }
    }
  }

  /// The numbers of the elements of a box, in row-major order.
  private func elements(of box: FlatRange.Box, in shape: [Int]) -> [Int] {
    var numbers = [0]
    for (dimension, extent) in box.shape.enumerated() {
      numbers = numbers.flatMap { number in
        (0..<extent).map { number * shape[dimension] + box.origin[dimension] + $0 }
      }
    }
    return numbers
  }

  private func starts(of boxes: [FlatRange.Box]) -> [Int] {
    var sum = 0
    return boxes.map { box in
      defer { sum += box.shape.reduce(1, *) }
      return sum
    }
  }
}

@Suite("Names of the files of ranks")
struct RankFileTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var part: String?
    var rank = 0
    var worldSize: Int?
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "rank0.pt", part: ""),
    Case(name: "rank_12.pt", part: "", rank: 12),
    Case(name: "model_world_size_4_rank_3.pt", part: "model", rank: 3, worldSize: 4),
    Case(
      name: "extra_state_world_size_16_rank_15.pt", part: "extra_state", rank: 15, worldSize: 16),
    Case(name: "pytorch_model_rank2.bin", part: "pytorch_model", rank: 2),
    Case(name: "rank.pt"), Case(name: "rank0.txt"), Case(name: "model.pt"),
    Case(name: "frank_sinatra.pt"), Case(name: "rank1234567.pt"), Case(name: ""),
  ]

  @Test("Names are taken apart", arguments: cases)
  func readsNames(_ test: Case) {
    let file = RankFile(test.name)
    #expect(file?.part == test.part)
    guard test.part != nil else { return }
    #expect(file?.rank == test.rank)
    #expect(file?.worldSize == test.worldSize)
  }
}

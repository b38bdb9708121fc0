import CkptBase
import CkptTestSupport
import Testing

@testable import CkptGraph

/// Blocks that are placed in a box: every element is in exactly one, or the first that is not is named.
struct PlacedBlocksTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let shape: [Int]
    /// The first index and the number of elements of each block along each dimension.
    let blocks: [(origin: [Int], shape: [Int])]
    /// The end of the message, where there is an error.
    var fault: String?
    var code = CheckpointError.Code.malformed
  }

  static let cases = [
    Case(testDescription: "one block", shape: [4, 6], blocks: [([0, 0], [4, 6])]),
    Case(testDescription: "a scalar", shape: [], blocks: [([], [])]),
    Case(
      testDescription: "rows, the last first", shape: [5, 3],
      blocks: [([3, 0], [2, 3]), ([0, 0], [3, 3])]),
    Case(
      testDescription: "a grid", shape: [4, 6],
      blocks: [([0, 0], [2, 3]), ([0, 3], [2, 3]), ([2, 0], [2, 3]), ([2, 3], [2, 3])]),
    Case(
      testDescription: "a pinwheel", shape: [3, 3],
      blocks: [
        ([0, 0], [1, 2]), ([0, 2], [2, 1]), ([2, 1], [1, 2]), ([1, 0], [2, 1]), ([1, 1], [1, 1]),
      ]),
    Case(
      testDescription: "three dimensions", shape: [2, 3, 4],
      blocks: [([0, 0, 0], [2, 3, 1]), ([0, 0, 1], [1, 3, 3]), ([1, 0, 1], [1, 3, 3])]),
    Case(
      testDescription: "empty blocks beside others", shape: [4, 6],
      blocks: [([0, 0], [0, 6]), ([4, 6], [0, 0]), ([0, 0], [4, 6]), ([2, 3], [2, 0])]),
    Case(testDescription: "no elements and no blocks", shape: [0, 6], blocks: []),
    Case(
      testDescription: "no elements and an empty block", shape: [0, 6], blocks: [([0, 0], [0, 6])]),
    Case(
      testDescription: "huge", shape: [1 << 40, 1 << 20],
      blocks: [([0, 0], [1 << 40, 5]), ([0, 5], [1 << 40, 1 << 20 - 5])]),
    Case(
      testDescription: "nothing", shape: [4, 6], blocks: [],
      fault: "element [0, 0] of a tensor of shape [4, 6] is in no block"),
    Case(
      testDescription: "no scalar", shape: [], blocks: [],
      fault: "element [] of a tensor of shape [] is in no block"),
    Case(
      testDescription: "two scalars", shape: [], blocks: [([], []), ([], [])],
      fault: "element [] of a tensor of shape [] is in two blocks, one of them 'b0' of memory"),
    Case(
      testDescription: "a hole at the end", shape: [4, 6], blocks: [([0, 0], [3, 6])],
      fault: "element [3, 0] of a tensor of shape [4, 6] is in no block"),
    Case(
      testDescription: "a hole in a grid", shape: [4, 6],
      blocks: [([0, 0], [2, 3]), ([2, 0], [2, 3]), ([2, 3], [2, 3])],
      fault: "element [0, 3] of a tensor of shape [4, 6] is in no block"),
    Case(
      testDescription: "a hole and an overlap of the same size", shape: [3, 3],
      blocks: [([0, 0], [2, 3]), ([1, 0], [1, 3])],
      fault:
        "element [1, 0] of a tensor of shape [3, 3] is in two blocks, one of them 'b0' of memory"),
    Case(
      testDescription: "an overlap in a corner", shape: [4, 4],
      blocks: [([0, 0], [3, 3]), ([0, 3], [4, 1]), ([3, 0], [1, 3]), ([2, 2], [1, 1])],
      fault:
        "element [2, 2] of a tensor of shape [4, 4] is in two blocks, one of them 'b0' of memory"),
    Case(
      testDescription: "one block twice", shape: [2, 2],
      blocks: [([0, 0], [2, 2]), ([0, 0], [2, 2])],
      fault:
        "element [0, 0] of a tensor of shape [2, 2] is in two blocks, one of them 'b0' of memory"),
    Case(
      testDescription: "a block beyond the end", shape: [4, 6], blocks: [([1, 0], [4, 6])],
      fault: "a block of shape [4, 6] at [1, 0] is not inside a tensor of [4, 6]"),
    Case(
      testDescription: "a block before the start", shape: [4], blocks: [([-1], [5])],
      fault: "a block of shape [5] at [-1] is not inside a tensor of [4]"),
    Case(
      testDescription: "a block of negative size", shape: [4], blocks: [([2], [-1])],
      fault: "a block of shape [-1] at [2] is not inside a tensor of [4]"),
    Case(
      testDescription: "a block far outside", shape: [4], blocks: [([.max], [.max])],
      fault: "a block of shape [\(Int.max)] at [\(Int.max)] is not inside a tensor of [4]"),
    Case(
      testDescription: "a block of fewer dimensions", shape: [4, 6], blocks: [([0], [4])],
      fault: "a block of shape [4] at [0] is not inside a tensor of [4, 6]"),
    Case(
      testDescription: "a tensor of negative size", shape: [-4], blocks: [([0], [0])],
      fault: "a block of shape [0] at [0] is not inside a tensor of [-4]"),
    Case(
      testDescription: "a tensor of more than 64 bits", shape: [1 << 40, 1 << 40], blocks: [],
      fault: "a tensor's element count overflows 64 bits"),
    Case(
      testDescription: "more corners than are looked at", shape: [Int](repeating: 2, count: 30),
      blocks: [([Int](repeating: 0, count: 30), [Int](repeating: 1, count: 30))],
      fault: "1 blocks that split 30 dimensions exceed the limit", code: .limitExceeded),
  ]

  private static func blocks(
    _ list: [(origin: [Int], shape: [Int])]
  ) -> [PlacedBlocks.Block] {
    let source = MemorySource([], name: "memory")
    return list.enumerated().map { number, place in
      let region = FileRegion(source: source, range: 0..<0, name: "b\(number)")
      return PlacedBlocks.Block(
        ElementBlock(packed: region, dtype: .uint8, shape: place.shape), at: place.origin)
    }
  }

  @Test("Blocks cover each element once, or the first that is wrong is named", arguments: cases)
  func covers(_ test: Case) throws {
    let blocks = Self.blocks(test.blocks)
    guard let fault = test.fault else {
      let placed = try PlacedBlocks(blocks, in: test.shape)
      #expect(placed.shape == test.shape)
      #expect(placed.blocks.count == test.blocks.count { !$0.shape.contains(0) })
      return
    }
    let error = #expect(throws: CheckpointError.self) { try PlacedBlocks(blocks, in: test.shape) }
    #expect(error?.code == test.code)
    #expect(error?.message == fault)
  }

  @Test("A block of another type is refused, with the place where it lies")
  func otherType() {
    var blocks = Self.blocks([([0], [2]), ([2], [2])])
    blocks[1].elements.dtype = .int8
    let error = #expect(throws: CheckpointError.self) { try PlacedBlocks(blocks, in: [4]) }
    #expect(
      error?.description == "memory: b1: a block of int8 is in a tensor of uint8")
  }

  /// A box cut up at random, some of whose blocks may then have moved or grown.
  private static func random(
    _ generator: inout SeededGenerator
  ) -> (shape: [Int], blocks: [(origin: [Int], shape: [Int])]) {
    let shape = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
      Int.random(in: 1...5, using: &generator)
    }
    var blocks = [(origin: shape.map { _ in 0 }, shape: shape)]
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
      let index = Int.random(in: 0..<blocks.count, using: &generator)
      let dimension = Int.random(in: 0..<shape.count, using: &generator)
      var (first, second) = (blocks[index], blocks[index])
      first.shape[dimension] = Int.random(in: 0...first.shape[dimension], using: &generator)
      second.shape[dimension] -= first.shape[dimension]
      second.origin[dimension] += first.shape[dimension]
      blocks[index] = first
      blocks.append(second)
    }
    for _ in 0..<Int.random(in: 0...2, using: &generator) {
      let index = Int.random(in: 0..<blocks.count, using: &generator)
      let dimension = Int.random(in: 0..<shape.count, using: &generator)
      let size = Int.random(in: 0...shape[dimension], using: &generator)
      blocks[index].shape[dimension] = size
      blocks[index].origin[dimension] = Int.random(
        in: 0...shape[dimension] - size, using: &generator)
    }
    return (shape, blocks)
  }

  @Test("The element that is named is the first that is wrong", arguments: 0..<400 as Range<UInt64>)
  func firstFault(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let (shape, blocks) = Self.random(&generator)
    var element = shape.map { _ in 0 }
    var expected: String?
    for _ in 0..<shape.reduce(1, *) where expected == nil {
      let count = blocks.count { block in
        element.indices.allSatisfy {
          block.origin[$0] <= element[$0] && element[$0] < block.origin[$0] + block.shape[$0]
        }
      }
      if count != 1 {
        expected =
          "element \(element) of a tensor of shape \(shape) is in "
          + (count == 0 ? "no block" : "two blocks, one of them ")
      }
      for dimension in shape.indices.reversed() {
        element[dimension] += 1
        if element[dimension] < shape[dimension] { break }
        element[dimension] = 0
      }
    }
    do {
      _ = try PlacedBlocks(Self.blocks(blocks), in: shape)
      #expect(expected == nil)
    } catch {
      #expect(error.message.hasPrefix(expected ?? "no error"))
    }
  }

  @Test("A hundred thousand blocks are checked without comparing each with each")
  func many() throws {
    let (rows, columns) = (250, 400)
    var list: [(origin: [Int], shape: [Int])] = []
    for row in 0..<rows {
      for column in 0..<columns { list.append(([3 * row, 2 * column], [3, 2])) }
    }
    #expect(try PlacedBlocks(Self.blocks(list), in: [750, 800]).blocks.count == 100_000)
    list[54_321].shape = [2, 2]
    let error = #expect(throws: CheckpointError.self) {
      try PlacedBlocks(Self.blocks(list), in: [750, 800])
    }
    #expect(error?.message.hasPrefix("element [407, 642] of") == true)
  }
}

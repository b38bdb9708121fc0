import CkptTestSupport
import Testing

@testable import CkptCopy
@testable import CkptPlan

struct TilingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let extents: [Int]
    let strides: [Int]
    var unit = 2
    /// The mean bytes of output of one read and of one write, at least.
    let bytesPerRead: Int
    let bytesPerWrite: Int
    var testDescription: String { name }
    var layout: StridedLayout { StridedLayout(packing: extents, strides: strides, unit: unit) }
  }

  static let cases = [
    Case(
      name: "a transposed embedding", extents: [4096, 50_304], strides: [2, 8192],
      bytesPerRead: 1024, bytesPerWrite: 1024),
    Case(
      name: "a transposed single precision matrix", extents: [8192, 8192], strides: [4, 32768],
      unit: 4, bytesPerRead: 2048, bytesPerWrite: 2048),
    Case(
      name: "channels last", extents: [512, 512, 9], strides: [9216, 2, 1024],
      bytesPerRead: 1 << 18, bytesPerWrite: 1 << 18),
    Case(
      name: "a large image, channels last", extents: [3, 8000 * 8000], strides: [1, 3], unit: 1,
      bytesPerRead: 1 << 18, bytesPerWrite: 1 << 17),
    Case(
      name: "every second column", extents: [4096, 2048], strides: [8192, 4],
      bytesPerRead: 1 << 18, bytesPerWrite: 1 << 18),
    Case(
      name: "half of every row", extents: [4096, 2048], strides: [8192, 2],
      bytesPerRead: 4096, bytesPerWrite: 1 << 17),
    Case(
      name: "one element a trillion times", extents: [1 << 40], strides: [0],
      bytesPerRead: 1 << 18, bytesPerWrite: 1 << 18),
    Case(
      name: "a column expanded", extents: [1 << 20, 1 << 20], strides: [2, 0],
      bytesPerRead: 1 << 18, bytesPerWrite: 1 << 18),
    Case(
      name: "a permuted block", extents: [64, 64, 64, 64], strides: [2, 524_288, 128, 8192],
      bytesPerRead: 1024, bytesPerWrite: 1024),
  ]

  @Test("Reads and writes are long where the tensor allows it", arguments: cases)
  func lengths(_ example: Case) {
    let memory = WorkerMemory(threadCount: 2)
    let tiling = Tiling(
      example.layout, budget: memory.box, readLimit: memory.inputByteCount, inOrder: false)
    let box = tiling.box(0)
    #expect(box.byteCount / box.reading.readCount >= example.bytesPerRead)
    #expect(tiling.runByteCount(of: box) >= example.bytesPerWrite)
  }

  @Test("Reads are long in order as well, though the first steps towards them gain nothing")
  func lengthsInOrder() {
    let memory = WorkerMemory(threadCount: 1)
    for (extents, strides, bytesPerRead) in [
      ([1024, 1024], [4, 4096], 1024), ([8192, 8192], [4, 32768], 512),
      ([4096, 50_304], [4, 16384], 64),
    ] {
      let tiling = Tiling(
        StridedLayout(packing: extents, strides: strides, unit: 4), budget: memory.box,
        readLimit: memory.inputByteCount, inOrder: true)
      let box = tiling.box(0)
      #expect(box.byteCount / box.reading.readCount >= bytesPerRead)
    }
  }

  @Test(
    "Boxes cover every element once and keep to their memory", arguments: 0..<200 as Range<UInt64>)
  func cover(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let unit = [1, 2, 4, 8, 16].randomElement(using: &generator) ?? 1
    let extents = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
      Int.random(in: 2...9, using: &generator)
    }
    let strides = extents.map { _ in Int.random(in: 0...2000, using: &generator) * unit }
    let layout = StridedLayout(packing: extents, strides: strides, unit: unit)
    let budget = 64 << Int.random(in: 0...7, using: &generator)
    let inOrder = Bool.random(using: &generator)
    let readLimit = max(16, budget >> Int.random(in: 0...4, using: &generator))
    let tiling = Tiling(layout, budget: budget, readLimit: readLimit, inOrder: inOrder)
    var isCovered = [Bool](repeating: false, count: layout.byteCount)
    var end = 0
    for number in 0..<tiling.count {
      let box = tiling.box(number)
      #expect(box.byteCount <= budget)
      #expect(box.reading.runByteCount <= readLimit)
      var writes = tiling.writes(of: box)
      repeat {
        if inOrder { #expect(writes.target == end) }
        end = writes.target + tiling.runByteCount(of: box)
        for byte in writes.target..<end {
          #expect(!isCovered[byte])
          isCovered[byte] = true
        }
      } while writes.advance()
    }
    #expect(isCovered.allSatisfy { $0 })
  }

  @Test("The memory of all threads together is bounded", arguments: 1...64)
  func memory(threads: Int) {
    let memory = WorkerMemory(threadCount: threads)
    #expect(threads * (memory.inputByteCount + memory.outputByteCount) <= 20 << 20)
    #expect(memory.transfer >= 64 << 10)
  }
}

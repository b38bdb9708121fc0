import CkptBase
import CkptGraph
import CkptPickle
import Testing

struct PicklerTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var source: PickleProgram
    var version: Int
    var pickle: [UInt8]

    init(_ name: String, _ source: PickleProgram, protocol version: Int, _ pickle: String) {
      testDescription = name
      self.source = source
      self.version = version
      self.pickle = pickle.hexBytes
    }
  }

  /// Results of `pickle.dumps` of CPython 3.8 to 3.13 for the object on the left.
  static let cases = [
    Case("None has no frame", "N.", protocol: 4, "80 04 4e 2e"),
    Case("a small int has no frame", "K\u{5}.", protocol: 4, "80 04 4b 05 2e"),
    Case("an empty str has a frame", "V\n.", protocol: 4, "80 04 95 0400000000000000 8c 00 94 2e"),
    Case("a one-tuple", ["K", 1, 0x85, "."], protocol: 2, "80 02 4b 01 85 71 00 2e"),
    Case("the empty tuple is not memoized", ")0].", protocol: 2, "80 02 5d 71 00 2e"),
    Case("an int of 2**31", "I2147483648\n.", protocol: 2, "80 02 8a 05 00 00 00 80 00 2e"),
    Case("an int of -2**31 - 1", "I-2147483649\n.", protocol: 2, "80 02 8a 05 ff ff ff 7f ff 2e"),
    Case("an int of -1", "I-1\n.", protocol: 2, "80 02 4a ff ff ff ff 2e"),
    Case("an int of 65536", "I65536\n.", protocol: 2, "80 02 4a 00 00 01 00 2e"),
    Case("a float", "F1.5\n.", protocol: 2, "80 02 47 3ff8000000000000 2e"),
    Case(
      "a tuple used twice", "](K\u{1}K\u{2}tq\u{0}ah\u{0}a.", protocol: 2,
      "80 02 5d 71 00 28 4b 01 4b 02 86 71 01 68 01 65 2e"),
    Case(
      "bytes in protocol 2", ["C", 2, 0x00, 0xff, "."], protocol: 2,
      "80 02 63 5f636f646563730a656e636f64650a 71 00 58 03000000 00c3bf 71 01"
        + "58 06000000 6c6174696e31 71 02 86 71 03 52 71 04 2e"),
    Case(
      "no bytes in protocol 2", ["C", 0, "."], protocol: 2,
      "80 02 63 5f5f6275696c74696e5f5f0a62797465730a 71 00 29 52 71 01 2e"),
    Case("bytes in protocol 3", ["C", 1, 7, "."], protocol: 3, "80 03 43 01 07 71 00 2e"),
    Case(
      "a set in protocol 2", [0x8f, "(", "K", 1, 0x90, "."], protocol: 2,
      "80 02 63 5f5f6275696c74696e5f5f0a7365740a 71 00 5d 71 01 4b 01 61 85 71 02 52 71 03 2e"),
    Case(
      "a set in protocol 4", [0x8f, "(", "K", 1, 0x90, "."], protocol: 4,
      "80 04 95 0700000000000000 8f 94 28 4b 01 90 2e"),
    Case(
      "a bytearray in protocol 5", [0x96, 1, 0, 0, 0, 0, 0, 0, 0, 9, "."], protocol: 5,
      "80 05 95 0c00000000000000 96 0100000000000000 09 94 2e"),
    Case(
      "a class in protocol 4", "cm\nC\n.", protocol: 4,
      "80 04 95 0b00000000000000 8c 01 6d 94 8c 01 43 94 93 94 2e"),
    Case(
      "two classes that name their module by two strs",
      PickleProgram("8c 02 6d6d 94 8c 01 43 94 93 8c 02 6d6d 94 8c 01 44 94 93 86 2e".hexBytes),
      protocol: 4,
      "80 04 95 1900000000000000 8c 02 6d6d 94 8c 01 43 94 93 94 8c 02 6d6d 94 8c 01 44 94 93 94"
        + "86 94 2e"),
    Case(
      "a class of the module that a bytearray is written with",
      PickleProgram(
        ("80 04 8c 08 6275696c74696e73 94 8c 09 627974656172726179 94 93 29 52"
          + "68 00 8c 07 636f6d706c6578 93 86 2e").hexBytes), protocol: 4,
      "80 04 95 2d00000000000000 8c 08 6275696c74696e73 94 8c 09 627974656172726179 94 93 94"
        + "29 52 94 68 00 8c 07 636f6d706c6578 94 93 94 86 94 2e"),
    Case(
      "an old name in protocol 2",
      [0x80, 3, "c", "b", "u", "i", "l", "t", "i", "n", "s", 10, "r", "a", "n", "g", "e", 10, "."],
      protocol: 2, "80 02 63 5f5f6275696c74696e5f5f0a7872616e67650a 71 00 2e"),
    Case(
      "an object with a state",
      PickleProgram(Array("cm\nC\n)".utf8) + [0x81] + Array("}K\u{1}K\u{2}sb.".utf8)), protocol: 2,
      "80 02 63 6d0a430a 71 00 29 81 71 01 7d 71 02 4b 01 4b 02 73 62 2e"),
    Case(
      "a tuple that holds itself through a list",
      PickleProgram("80 02 5d 71 00 68 00 85 71 01 61 30 68 01 2e".hexBytes), protocol: 2,
      "80 02 5d 71 00 68 00 85 71 01 61 30 68 01 2e"),
  ]

  @Test("The pickle is CPython's, byte for byte", arguments: cases)
  func pickle(_ test: Case) throws {
    let graph = try test.source.load()
    let pickle = try Pickler.pickle(graph.root, of: graph, protocol: test.version)
    #expect(hex(pickle) == hex(test.pickle))
  }

  struct Batch: CustomTestStringConvertible {
    var testDescription: String
    var count: Int
    /// The operations with which a list and a dict of so many items end.
    var list: String
    var dict: String
  }

  static let batches = [
    Batch(testDescription: "no item", count: 0, list: "5d 71 00 2e", dict: "7d 71 00 2e"),
    Batch(testDescription: "one item", count: 1, list: "4b 01 61 2e", dict: "4e 73 2e"),
    Batch(testDescription: "1000 items", count: 1000, list: "4b 01 65 2e", dict: "4e 75 28 75 2e"),
    Batch(
      testDescription: "1001 items", count: 1001, list: "65 28 4b 01 65 2e",
      dict: "75 28 4d e8 03 4e 75 2e"),
  ]

  @Test("Lists and dicts are written a thousand items at a time", arguments: batches)
  func batch(_ test: Batch) throws {
    let list = PickleProgram(
      Array("](".utf8) + Array(repeatElement([0x4b, 0x01], count: test.count).joined())
        + Array("e.".utf8))
    #expect(try repickle(list).ends(with: test.list.hexBytes))
    var pairs: [UInt8] = []
    for key in 0..<test.count { pairs += Array("I\(key)\nN".utf8) }
    let dict = PickleProgram(Array("}(".utf8) + pairs + Array("u.".utf8))
    #expect(try repickle(dict).ends(with: test.dict.hexBytes))
  }

  @Test("Frames are closed at the first object boundary beyond 64 KiB")
  func frames() throws {
    let count = 100_000
    var items: [UInt8] = []
    for item in 0..<count { items += [0x4d, UInt8(item % 200 + 1), UInt8(item % 256)] }
    let pickle = try repickle(PickleProgram(Array("](".utf8) + items + Array("e.".utf8)), 4)
    var position = 2
    var lengths: [Int] = []
    while position < pickle.count {
      #expect(pickle[position] == 0x95)
      let length = (0..<8).reduce(0) { $0 | Int(pickle[position + 1 + $1]) << (8 * $1) }
      lengths.append(length)
      position += 9 + length
    }
    #expect(lengths.count > 3)
    #expect(lengths.dropLast().allSatisfy { (65536...65540).contains($0) })
  }

  @Test("A long str stays outside of frames")
  func longText() throws {
    let program = PickleProgram(
      [0x28, 0x58, 0x00, 0x00, 0x01, 0x00] + [UInt8](repeating: 0x61, count: 65536)
        + Array("K\u{1}t.".utf8))
    let pickle = try repickle(program, 4)
    // PROTO, text without frame, then a frame with MEMOIZE, 1, TUPLE2, MEMOIZE, STOP
    #expect(Array(pickle.prefix(3)) == [0x80, 0x04, 0x58])
    #expect(pickle.ends(with: "95 0600000000000000 94 4b 01 86 94 2e".hexBytes))
  }

  struct KeyCase: CustomTestStringConvertible {
    var testDescription: String
    var keys: PickleProgram
    var flag: Bool
    var pickle: [UInt8]

    init(_ name: String, _ keys: PickleProgram, _ flag: Bool, _ pickle: String) {
      testDescription = name
      self.keys = keys
      self.flag = flag
      self.pickle = pickle.hexBytes
    }
  }

  /// A pickle by OLMo's `encode_key` on Python 3.11.
  static let keys = [
    KeyCase(
      "('a',), False", "(Va\nt.", false, "80 04 95 0a00000000000000 8c 01 61 94 85 94 89 86 94 2e"),
    KeyCase(
      "('state', 0, 'exp_avg'), False", "(Vstate\nK\u{0}Vexp_avg\nt.", false,
      "80 04 95 1a00000000000000 8c 05 7374617465 94 4b 00 8c 07 6578705f617667 94 87 94 89 86 94 2e"
    ),
    KeyCase(
      "('a', 'b', 'c', 'd'), True", "(Va\nVb\nVc\nVd\nt.", true,
      "80 04 95 1700000000000000 28 8c 01 61 94 8c 01 62 94 8c 01 63 94 8c 01 64 94 74 94 88 86 94 2e"
    ),
    KeyCase("no key", ").", false, "80 04 95 0500000000000000 29 89 86 94 2e"),
    KeyCase(
      "one character twice is one object", "(Va\nVa\nt.", false,
      "80 04 95 0c00000000000000 8c 01 61 94 68 00 86 94 89 86 94 2e"),
    KeyCase(
      "equal strs are two objects", "(Vaa\nVaa\nt.", false,
      "80 04 95 1000000000000000 8c 02 6161 94 8c 02 6161 94 86 94 89 86 94 2e"),
  ]

  @Test("Keys are pickled as OLMo names tensors", arguments: keys)
  func key(_ test: KeyCase) throws {
    let graph = try test.keys.load()
    let path = try #require(graph.tuple(graph.root)).map { PathComponent.key($0) }
    let pickle = try Pickler.pickle(keys: path, flag: test.flag, of: graph, protocol: 4)
    #expect(hex(pickle) == hex(test.pickle))
  }

  private func repickle(_ program: PickleProgram, _ version: Int = 2) throws -> [UInt8] {
    let graph = try program.load()
    return try Pickler.pickle(graph.root, of: graph, protocol: version)
  }

  private func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}

extension Collection<UInt8> {
  fileprivate func ends(with suffix: [UInt8]) -> Bool {
    Array(self).suffix(suffix.count) == suffix[...]
  }
}

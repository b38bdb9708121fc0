import CkptCompare
import CkptGraph
import CkptTestSupport
import Testing

/// Values and containers.
struct ObjectComparisonTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var first: PickledValue
    var second: PickledValue
    /// The differences, one line each.
    var found: [String]
  }

  private static let nan = Double(bitPattern: 0x7ff8_0000_0000_0000)
  private static let otherNaN = Double(bitPattern: 0x7ff8_0000_0000_0001)
  private static let long = String(repeating: "x", count: 100)
  private static let big: PickledValue = .operations([0x8a, 9] + [UInt8](repeating: 1, count: 9))
  private static let bigger: PickledValue = .operations(
    [0x8a, 9] + [UInt8](repeating: 2, count: 9))

  static let equalValues: [(String, PickledValue, PickledValue)] = [
    ("NaNs of the same bits", .float(nan), .float(nan)),
    ("large ints", big, big),
    (
      "sets in another order", set([1, "a", .tuple([2, 3])]), set([.tuple([2, 3]), 1, "a"])
    ),
    (
      "a str that is one object and one that is two",
      .list([.memoized(1, "text"), .memo(1)]), ["text", "text"]
    ),
    (
      "a tuple that is one object and one that is two",
      .list([.memoized(1, .tuple([1])), .memo(1)]), [.tuple([1]), .tuple([1])]
    ),
    (
      "a class that NumPy has moved",
      .call(.global("numpy.core.multiarray", "_reconstruct"), [1]),
      .call(.global("numpy._core.multiarray", "_reconstruct"), [1])
    ),
    (
      "lists that share alike", .list([.memoized(1, [1]), .memo(1)]),
      .list([.memoized(7, [1]), .memo(7)])
    ),
    ("keys that only look alike", [1: "a", 1.5: "b"], [1: "a", 1.5: "b"]),
  ]

  @Test("Equal values in any spelling are equal", arguments: equalValues)
  func equal(_ test: (name: String, first: PickledValue, second: PickledValue)) throws {
    let comparison = try Compared.objects(test.first, test.second)
    #expect(comparison.lines == [])
    #expect(comparison.scope == .objects)
    #expect(comparison.differences.isEmpty)
  }

  private static func set(_ items: [PickledValue]) -> PickledValue {
    .call(.global("__builtin__", "set"), [.list(items)])
  }

  static let cases = [
    Case(
      testDescription: "an int and a bool", first: ["a": 1], second: ["a": true],
      found: ["a: type: int 1 / bool True"]),
    Case(
      testDescription: "an int and a float", first: ["a": 1], second: ["a": 1.0],
      found: ["a: type: int 1 / float 1.0"]),
    Case(
      testDescription: "ints", first: ["a": ["b": 1]], second: ["a": ["b": 2]],
      found: ["a.b: value: 1 / 2"]),
    Case(
      testDescription: "large ints", first: big, second: bigger,
      found: ["root: value: 18519084246547628289 / 37038168493095256578"]),
    Case(
      testDescription: "signs of zero", first: ["a": 0.0], second: ["a": -0.0],
      found: ["a: value: 0.0 / -0.0"]),
    Case(
      testDescription: "payloads of NaNs", first: ["a": .float(nan)],
      second: ["a": .float(otherNaN)],
      found: ["a: value: nan (bits 0x7ff8000000000000) / nan (bits 0x7ff8000000000001)"]),
    Case(
      testDescription: "strs", first: ["a": "x"], second: ["a": "y"],
      found: ["a: value: 'x' / 'y'"]),
    Case(
      testDescription: "long strs with one beginning", first: ["a": .str(long + "1")],
      second: ["a": .str(long)],
      found: [
        "a: value: '\(long.prefix(76))... (byte 100 is 0x31) / "
          + "'\(long.prefix(76))... (ends at byte 100)"
      ]),
    Case(
      testDescription: "bytes", first: .bytes([1, 2]), second: .bytes([1, 3]),
      found: [#"root: value: b'\x01\x02' / b'\x01\x03'"#]),
    Case(
      testDescription: "str and bytes", first: "ab", second: .bytes([0x61, 0x62]),
      found: ["root: type: str 'ab' / b'ab'"]),
    Case(
      testDescription: "list and tuple", first: ["a": [1]], second: ["a": .tuple([1])],
      found: ["a: type: list [1] / tuple (1,)"]),
    Case(
      testDescription: "a dict and an OrderedDict", first: ["a": ["k": 1]],
      second: [
        "a": .filled(.call(.global("collections", "OrderedDict"), []), pairs: ["k", 1])
      ], found: ["a: type: dict {'k': 1} / OrderedDict(){'k': 1}"]),
    Case(
      testDescription: "a longer list", first: ["a": [1, 2]], second: ["a": [1, 3, 3]],
      found: ["a: length: 2 items / 3 items", "a.1: value: 2 / 3"]),
    Case(
      testDescription: "a key that only one has", first: ["a": 1, "b": 2], second: ["a": 1],
      found: ["b: missing: 2 / -"]),
    Case(
      testDescription: "a key that only the other has", first: ["a": ["x": 1]],
      second: ["a": ["x": 1, "y": [2]]], found: ["a.y: extra: - / [2]"]),
    Case(
      testDescription: "a key of another type", first: ["a": .dict([1, "x"])],
      second: ["a": .dict([true, "x"])],
      found: ["a.1: missing: 'x' / -", "a.True: extra: - / 'x'"]),
    Case(
      testDescription: "keys in another order", first: ["a": ["x": 1, "y": 2, "z": 3]],
      second: ["a": ["x": 1, "z": 3, "y": 5]],
      found: ["a: order: 'y' before 'z' / 'z' before 'y'", "a.y: value: 2 / 5"]),
    Case(
      testDescription: "a set's elements", first: ["a": set([1, 2])], second: ["a": set([2, 3])],
      found: ["a.1: missing: 1 / -", "a.3: extra: - / 3"]),
    Case(
      testDescription: "another class", first: ["a": .call(.global("m", "C"), [1])],
      second: ["a": .call(.global("m", "D"), [1])], found: ["a: type: m.C / m.D"]),
    Case(
      testDescription: "another function as a value", first: ["a": .global("m", "f")],
      second: ["a": .global("n", "f")], found: ["a: value: m.f / n.f"]),
    Case(
      testDescription: "another argument", first: ["a": .call(.global("m", "C"), [1, 2])],
      second: ["a": .call(.global("m", "C"), [1, 3])], found: ["a.args.1: value: 2 / 3"]),
    Case(
      testDescription: "another operation", first: ["a": .call(.global("m", "C"), [])],
      second: ["a": .new(.global("m", "C"), [])],
      found: ["a: type: made by call / made by new"]),
    Case(
      testDescription: "an attribute",
      first: ["a": .built(.new(.global("m", "C"), []), state: ["x": 1])],
      second: ["a": .built(.new(.global("m", "C"), []), state: ["x": 2])],
      found: ["a.x: value: 1 / 2"]),
    Case(
      testDescription: "no state", first: .new(.global("m", "C"), []),
      second: .built(.new(.global("m", "C"), []), state: .none),
      found: ["root: state: nothing / None"]),
    Case(
      testDescription: "appended items", first: .filled(.new(.global("m", "L"), []), items: [1]),
      second: .filled(.new(.global("m", "L"), []), items: [2]), found: ["0: value: 1 / 2"]),
    Case(
      testDescription: "items set in an object",
      first: .filled(.new(.global("m", "D"), []), pairs: ["k", 1]),
      second: .filled(.new(.global("m", "D"), []), pairs: ["k", 2]), found: ["k: value: 1 / 2"]),
    Case(
      testDescription: "a list that is no longer shared",
      first: .dict(["a", .memoized(1, [1]), "b", .memo(1)]), second: ["a": [1], "b": [1]],
      found: ["b: sharing: the same object as 'a' / one of its own"]),
    Case(
      testDescription: "a list that came to be shared", first: ["a": [1], "b": [1]],
      second: .dict(["a", .memoized(1, [1]), "b", .memo(1)]),
      found: ["b: sharing: one of its own / the same object as 'a'"]),
    Case(
      testDescription: "a list shared with another",
      first: .dict(["a", .memoized(1, [1]), "b", .memoized(2, [1]), "c", .memo(1)]),
      second: .dict(["a", .memoized(1, [1]), "b", .memoized(2, [1]), "c", .memo(2)]),
      found: ["c: sharing: the same object as 'a' / the same object as 'b'"]),
    Case(
      testDescription: "a list that is no longer shared and was changed",
      first: .dict(["a", .memoized(1, [1]), "b", .memo(1)]), second: ["a": [1], "b": [2]],
      found: ["b: sharing: the same object as 'a' / one of its own", "b.0: value: 1 / 2"]),
    Case(
      testDescription: "a list that holds itself and one that holds another",
      first: .operations(Array("]q\u{1}h\u{1}a".utf8)), second: [[]],
      found: [
        "0: sharing: the same object as 'root' / one of its own", "0: length: 1 item / 0 items",
      ]),
  ]

  @Test("A difference is named by place and kind", arguments: cases)
  func different(_ test: Case) throws {
    let comparison = try Compared.objects(test.first, test.second)
    #expect(comparison.lines == test.found)
    #expect(comparison.differences.count == test.found.count)
  }

  @Test("Differences beyond the limit are counted")
  func limit() throws {
    let first = PickledValue.list((0..<50).map { .int($0) })
    let second = PickledValue.list((0..<50).map { .int($0 + 1) })
    let comparison = try Compared.objects(first, second, limit: 3)
    #expect(comparison.lines == ["0: value: 0 / 1", "1: value: 1 / 2", "2: value: 2 / 3"])
    #expect(comparison.differences.count == 50)
  }
}

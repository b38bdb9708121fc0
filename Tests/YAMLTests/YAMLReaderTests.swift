import CkptBase
import CkptTestSupport
import Testing
import CkptYAML

struct YAMLReaderTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let value: YAMLValue
    init(_ name: String, _ text: String, _ value: YAMLValue) {
      testDescription = name
      self.text = text
      self.value = value
    }
  }

  static let cases: [Case] = [
    Case("nothing", "", YAMLValue(.null)),
    Case("only a comment", "# a: 1\n", YAMLValue(.null)),
    Case("nested blocks", "a:\n  b:\n  - 1\n  - c: 2\n", ["a": ["b": [1, ["c": 2]]]]),
    Case("flow style", "{a: [1, {b: 2}], c: {}}", ["a": [1, ["b": 2]], "c": [:]]),
    Case("order is kept", "b: 1\na: 2\n", ["b": 1, "a": 2]),
    Case("a document marker and an end", "---\na: 1\n...\n", ["a": 1]),
    Case("a version directive", "%YAML 1.1\n---\na: 1\n", ["a": 1]),
    Case("literal text", "a: |\n  b\n  c\n", ["a": "b\nc\n"]),
    Case("folded text", "a: >-\n  b\n  c\n", ["a": "b c"]),
    Case("escapes", #"a: "\t\u00e9\x41\n""#, ["a": "\té\u{41}\n"]),
    Case(
      "tags of YAML itself", "a: !!str 1\nb: !!float 1\nc: !!map {}\nd: ! '5'",
      [
        "a": "1", "b": 1.0, "c": [:], "d": 5,
      ]),
    Case("an alias", "a: &x [1, 2]\nb: *x\n", ["a": [1, 2], "b": [1, 2]]),
    Case("an anchor set anew", "a: &x 1\nb: &x 2\nc: *x\n", ["a": 1, "b": 2, "c": 2]),
    Case(
      "a merge", "a: &a {x: 1, y: 2}\nb: {z: 0, <<: *a, y: 3}\n",
      [
        "a": ["x": 1, "y": 2], "b": ["x": 1, "y": 3, "z": 0],
      ]),
    Case(
      "a merge of several, the first of which wins", "{<<: [{x: 1}, {x: 2, y: 3}]}",
      [
        "x": 1, "y": 3,
      ]),
    Case("a quoted merge sign is a name", "'<<': 1", ["<<": 1]),
    Case(
      "names that Unicode calls equivalent", "\u{e9}: 1\ne\u{301}: 2\n",
      [
        "\u{e9}": 1, "e\u{301}": 2,
      ]),
  ]

  @Test("Documents are read", arguments: cases)
  func reads(_ test: Case) throws { #expect(try read(test.text) == test.value) }

  @Test("Names may be numbers")
  func numericNames() throws {
    let mapping = try #require(try read("1: a\ntrue: b\n").mapping)
    #expect(mapping.entries.map(\.key) == [.integer(1), .bool(true)])
    #expect(mapping["1"] == nil)
  }

  @Test("UTF-16 with a mark is read")
  func utf16() throws {
    var bytes: [UInt8] = [0xff, 0xfe]
    for unit in "a: é".utf16 { bytes += [UInt8(unit & 0xff), UInt8(unit >> 8)] }
    #expect(try YAMLValue(reading: bytes) == ["a": "é"])
  }

  @Test("Values know where they begin")
  func places() throws {
    let document = try read("a:\n- é: b\n")
    let element = try #require(document.mapping?["a"]?.sequence?.first)
    #expect(element.place == YAMLPlace(line: 2, column: 3))
    #expect(element.mapping?["é"]?.place == YAMLPlace(line: 2, column: 6))
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let code: CheckpointError.Code
    let place: String?
    init(_ name: String, _ text: String, _ code: CheckpointError.Code, _ place: String?) {
      testDescription = name
      self.text = text
      self.code = code
      self.place = place
    }
  }

  static let refusals: [Refusal] = [
    Refusal("a name that stands twice", "a: 1\nb: 2\na: 3\n", .malformed, "line 3, column 1"),
    Refusal("an alias without value", "a: *x\n", .malformed, "line 1, column 4"),
    Refusal("a value inside itself", "a: &x [*x]\n", .malformed, "line 1, column 8"),
    Refusal("a merge of text", "<<: text\n", .malformed, "line 1, column 5"),
    Refusal("a second document", "a: 1\n---\nb: 2\n", .malformed, "line 2, column 1"),
    Refusal("a tab as indentation", "a:\n\t- 1\n", .malformed, "line 2, column 1"),
    Refusal("an open list", "a: [1\n", .malformed, "line 2, column 1"),
    Refusal("a closing bracket alone", "a: ]\n", .malformed, "line 1, column 4"),
    Refusal(
      "a tag that would call Python", "a: !!python/object/apply:os.system [x]\n", .unsupported,
      "line 1, column 4"),
    Refusal("a tag of an own kind", "a: !env HOME\n", .unsupported, "line 1, column 4"),
    Refusal("a tag that does not fit", "a: !!int x\n", .unsupported, "line 1, column 4"),
    Refusal("a list as a name", "? [1]\n: 2\n", .unsupported, "line 1, column 3"),
    Refusal("null as a name", "~: 2\n", .unsupported, "line 1, column 1"),
    Refusal(
      "an alias of a list as a name", "- &x [1]\n- {*x : 2}\n", .unsupported, "line 2, column 4"),
    Refusal("too many directives", String(repeating: "%A b\n", count: 17), .limitExceeded, nil),
    Refusal(
      "lists too deep", String(repeating: "[", count: 4000), .limitExceeded, "line 1, column 101"),
    Refusal(
      "blocks too deep", String(repeating: "- ", count: 4000), .limitExceeded, "line 1, column 201"),
    Refusal(
      "too many values", String(repeating: "- 1\n", count: 300_000), .limitExceeded,
      "line 131072, column 3"),
  ]

  @Test("Faults are refused with their place", arguments: refusals)
  func refuses(_ test: Refusal) {
    let error = #expect(throws: CheckpointError.self) { try read(test.text) }
    #expect(error?.code == test.code)
    #expect(error?.path.first == test.place)
  }

  @Test("Text that is not UTF-8 is refused with its offset")
  func badUTF8() {
    let error = #expect(throws: CheckpointError.self) {
      try YAMLValue(reading: [0x61, 0x3a, 0x20, 0xff])
    }
    #expect(error?.code == .malformed)
    #expect(error?.offset == 3)
  }

  @Test("Aliases of aliases cannot stand for billions of values")
  func manyAliases() {
    var text = "a0: &a0 [x, x]\n"
    for level in 1...40 {
      text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n"
    }
    let error = #expect(throws: CheckpointError.self) { try read(text) }
    #expect(error?.code == .limitExceeded)
  }

  @Test("Aliases cannot pile collections up beyond the limit of depth")
  func deepAliases() {
    var text = "a0: &a0 x\n"
    for level in 1...120 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
    let error = #expect(throws: CheckpointError.self) { try read(text) }
    #expect(error?.code == .limitExceeded)
    #expect(error?.message.contains("nested collections") == true)
  }

  @Test("A document longer than the limit is not looked at")
  func tooLong() {
    let error = #expect(throws: CheckpointError.self) {
      try YAMLValue(reading: [UInt8](repeating: 0x23, count: YAMLLimits.documentBytes + 1))
    }
    #expect(error?.code == .limitExceeded)
  }

  private static let sample = """
    %YAML 1.1
    ---
    run: &x "a\\t${b}"  # comment
    model: {d: 64, eps: 1e-5, ids: [1, *x, ~]}
    <<: {k: |
      text}
    ? key
    : - - 1
      - 'it''s'
    """

  @Test("A document cut anywhere is read or refused")
  func cuts() {
    let bytes = Array(Self.sample.utf8)
    for count in 0...bytes.count { _ = try? YAMLValue(reading: Array(bytes[..<count])) }
  }

  @Test("A document with any byte changed is read or refused, and what was read can be written")
  func changes() throws {
    var generator = SeededGenerator(seed: 20)
    let bytes = Array(Self.sample.utf8)
    for index in bytes.indices {
      for _ in 0..<24 {
        var changed = bytes
        changed[index] = UInt8.random(in: 0...255, using: &generator)
        guard let value = try? YAMLValue(reading: changed) else { continue }
        #expect(try YAMLValue(reading: value.document()) == value)
      }
    }
  }
}

import CkptBase
import CkptGraph
import CkptPickle
import Testing

@Suite("What Python reads and no pickler writes")
struct SpellingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let program: PickleProgram
    /// The description of the object for a scan, or `nil` where it is not compared.
    let value: String?

    init(_ name: String, _ program: PickleProgram, _ value: String? = nil) {
      testDescription = name
      self.program = program
      self.value = value
    }
  }

  static let taken = [
    Case("INT with a line end of two bytes", "I5\r\n.", "5"),
    Case("INT in hexadecimal", "I0x10\n.", "16"),
    Case("INT in octal as C spells it", "I010\n.", "8"),
    Case("INT in octal as Python spells it", "I0o10\n.", "8"),
    Case("INT in binary", "I-0b101\n.", "-5"),
    Case("INT with an underscore", "I1_000\n.", "1000"),
    Case("INT with an underscore behind the prefix", "I0x_10\n.", "16"),
    Case("INT with a space", "I 5\n.", "5"),
    Case("INT with a plus sign", "I+5\n.", "5"),
    Case("INT that ends at a zero byte", "I5\0abc\n.", "5"),
    Case("LONG in hexadecimal", "L0x10L\n.", "16"),
    Case(
      "LONG of many hexadecimal digits", "L0x1950A86A20F9469CFC6CL\n.", "119547037146038801333356"),
    Case("FLOAT with an underscore", "F1_0.5\n.", "10.5"),
    Case("FLOAT with a space", "F 1.5\n.", "1.5"),
    Case("a memo index with an underscore", "K\u{7}p1_0\ng10\n.", "7"),
    Case("a memo index with a space", "K\u{7}p 1\ng+1\n.", "7"),
    Case("SETITEM on a list", "(K\u{1}lK\0K\u{2}s."),
    Case("SETITEMS on a list", "(K\u{1}l(K\0K\u{2}u."),
    Case("APPEND on a bytearray", .init([0x96, 0, 0, 0, 0, 0, 0, 0, 0, 0x4b, 1, 0x61, 0x2e])),
    Case(
      "APPENDS on a bytearray", .init([0x96, 0, 0, 0, 0, 0, 0, 0, 0, 0x28, 0x4b, 1, 0x65, 0x2e])),
    Case(
      "SETITEM on a bytearray",
      .init([0x96, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x4b, 0, 0x4b, 1, 0x73, 0x2e])),
    Case("BUILD of None", "]Nb.", "[]"),
    Case("BUILD of an empty dict", "]}b.", "[]"),
    Case("BUILD of None and no slots", "](N}tb.", "[]"),
    Case("nothing appended to an int", "K\u{1}(e.", "1"),
    Case("READONLY_BUFFER on bytes", .init([0x43, 1, 9, 0x98, 0x2e]), "b'\\t'"),
    Case(
      "memo indices beyond 64 bits",
      "K\u{7}p99999999999999999999\nK\u{8}p99999999999999999998\ng99999999999999999999\n.", "7"),
    Case("FLOAT beyond the largest", "F1e400\n.", "inf"),
    Case("a global without a name", "c\n\n."),
    Case("arguments in a list", "cm\nf\n(K\u{1}lR."),
    Case("items appended to a global", "cm\nf\nK\u{1}a."),
    Case("a call of what a persistent id stands for", "Pa\n)R."),
  ]

  static let refused = [
    Case("no digits", "I\n."), Case("only a prefix", "I0x\n."), Case("letters", "Iabc\n."),
    Case("two underscores", "I1__0\n."), Case("an underscore at the end", "I1_\n."),
    Case("an underscore at the start", "I_1\n."), Case("a digit beyond the base", "I0b12\n."),
    Case("a space between sign and digits", "I- 5\n."), Case("two signs", "I--5\n."),
    Case("a hexadecimal float", "F0x1p3\n."), Case("two points", "F1.2.3\n."),
    Case("a backslash at the end of a str", "S'\\'\n."),
    Case("a memo index in hexadecimal", "K\u{7}p0x1\ng1\n."),
    Case("a negative memo index", "K\u{7}p-1\ng-1\n."),
    Case("SETITEM on a tuple", ")K\0K\u{2}s."), Case("APPEND on a dict", "}Na."),
    Case("BUILD of a dict on a list", "]}NNsb."),
    Case("a global named by an int", "K\u{1}K\u{1}\u{93}.".latin1),
    Case("a call of an int", "K\u{1})R."), Case("arguments in an int", "cm\nf\nK\u{1}R."),
    Case("READONLY_BUFFER on an int", .init([0x4b, 1, 0x98, 0x2e])),
  ]

  @Test("A scan reads it as Python does, the reader refuses it", arguments: taken)
  func takes(_ test: Case) throws {
    let scan = PickleScan(test.program.bytes.span)
    #expect(scan.isComplete && scan.fault == nil, "\(scan.fault?.description ?? "cut")")
    #expect(throws: CheckpointError.self) { try test.program.load() }
    guard let value = test.value else { return }
    let graph = try test.program.load(unsafeGlobals: .report)
    #expect(graph.description(of: graph.root) == value)
  }

  @Test("What Python ends at is a fault of the pickle", arguments: refused)
  func refuses(_ test: Case) {
    #expect(PickleScan(test.program.bytes.span).fault != nil)
    #expect(PickleScan(test.program.bytes.span, stopsAtFault: true).fault != nil)
    #expect(throws: CheckpointError.self) { try test.program.load() }
  }

  @Test("A number that no pickler spells like this is refused by name")
  func names() {
    let error = #expect(throws: CheckpointError.self) { try PickleProgram("I0x10\n.").load() }
    #expect(error?.code == .unsupported && error?.message.contains("'0x10'") == true)
  }

  @Test("Decimal digits are converted up to Python's own bound")
  func manyDigits() throws {
    // CPython's `sys.int_info.default_max_str_digits`.
    let limit = 4300
    for count in [15, 16, 18, 19, 20, 30, 31] {
      let digits = String(repeating: "9", count: count)
      let graph = try PickleProgram(Array("L-\(digits)L\n.".utf8)).load()
      #expect(graph.description(of: graph.root) == "-\(digits)")
    }
    let digits = String(repeating: "9", count: limit)
    _ = try PickleProgram(Array("L\(digits)L\n.".utf8)).load()
    let longer = PickleProgram(Array("L9\(digits)L\n.".utf8))
    #expect(throws: CheckpointError.self) { try longer.load() }
    #expect(PickleScan(longer.bytes.span).fault == nil)
  }

  @Test("A backslash behind a backslash begins no escape")
  func backslashes() throws {
    let graph = try PickleProgram(Array("V\\\\u0041\\u0042\n.".utf8)).load()
    #expect(graph.string(graph.root) == "\\\\u0041B")
  }
}

/// The bound of CPython (`sys.int_info.default_max_str_digits`).
private enum PythonDigits {
  static let limit = 4300
}

extension String {
  fileprivate var latin1: PickleProgram { .init(unicodeScalars.map { UInt8($0.value) }) }
}

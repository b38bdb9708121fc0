import CkptBase
import CkptGraph
import CkptPickle
import CkptTestSupport
import Testing

struct UnpicklerTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var program: PickleProgram
    var value: String

    init(_ name: String, _ program: PickleProgram, _ value: String) {
      testDescription = name
      self.program = program
      self.value = value
    }
  }

  static let values = [
    Case("None", "N.", "None"),
    Case("protocol 2 true", [0x80, 2, 0x88, 0x2e], "True"),
    Case("protocol 0 true", "I01\n.", "True"),
    Case("protocol 0 false", "I00\n.", "False"),
    Case("INT", "I-42\n.", "-42"),
    Case("INT beyond 64 bits", "I18446744073709551616\n.", "18446744073709551616"),
    Case("LONG with its letter", "L-5L\n.", "-5"),
    Case("LONG of -2**64", "L-18446744073709551616L\n.", "-18446744073709551616"),
    Case("BININT1", "K\u{7f}.", "127"),
    Case("BININT2", ["M", 0xff, 0xff, "."], "65535"),
    Case("BININT is signed", ["J", 0xff, 0xff, 0xff, 0xff, "."], "-1"),
    Case("LONG1 of no bytes is zero", [0x8a, 0, 0x2e], "0"),
    Case("LONG1 sign extends", [0x8a, 1, 0x80, 0x2e], "-128"),
    Case("LONG1 of 2**31", PickleProgram("8a 05 00 00 00 80 00 2e".hexBytes), "2147483648"),
    Case("LONG1 of -2**31-1", PickleProgram("8a 05 ff ff ff 7f ff 2e".hexBytes), "-2147483649"),
    Case("LONG1 with needless bytes", [0x8a, 3, 5, 0, 0, 0x2e], "5"),
    Case("LONG4", [0x8b, 1, 0, 0, 0, 7, 0x2e], "7"),
    Case(
      "LONG1 beyond 64 bits", PickleProgram("8a 09 0000000000000000 01 2e".hexBytes),
      "18446744073709551616"),
    Case("zero with a sign", "F-0.0\n.", "-0.0"),
    Case("FLOAT", "F2.5\n.", "2.5"),
    Case("BINFLOAT is big-endian", PickleProgram("47 3ff8000000000000 2e".hexBytes), "1.5"),
    Case("STRING with escapes", "S'a\\n\\x41\\102\\''\n.", "'a\\nAB\\''"),
    Case("UNICODE with escapes", "V\\u00e9\\U0001f600\n.", "'é😀'"),
    Case("SHORT_BINSTRING that is UTF-8", ["U", 2, 0xc3, 0xa9, "."], "'é'"),
    Case("SHORT_BINSTRING that is not", ["U", 1, 0xe9, "."], #"b'\xe9'"#),
    Case("BINUNICODE", ["X", 1, 0, 0, 0, "a", "."], "'a'"),
    Case("SHORT_BINUNICODE", [0x8c, 1, "a", "."], "'a'"),
    Case("BINUNICODE8", [0x8d, 1, 0, 0, 0, 0, 0, 0, 0, "a", "."], "'a'"),
    Case("SHORT_BINBYTES", ["C", 2, 1, 2, "."], #"b'\x01\x02'"#),
    Case("BINBYTES8", [0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 9, "."], #"b'\t'"#),
    Case("BYTEARRAY8", [0x96, 1, 0, 0, 0, 0, 0, 0, 0, 9, "."], "bytearray[1]"),
    Case(
      "TUPLE1 to TUPLE3", ["K", 1, 0x85, "K", 2, 0x86, "K", 3, "N", 0x87, "."],
      "(((1,), 2), 3, None)"),
    Case("TUPLE", "(K\u{1}K\u{2}K\u{3}K\u{4}t.", "(1, 2, 3, 4)"),
    Case("LIST and DICT", "(K\u{1}(K\u{2}K\u{3}dl.", "[1, {2: 3}]"),
    Case("APPENDS in two batches", "](K\u{1}K\u{2}e(K\u{3}e.", "[1, 2, 3]"),
    Case("SETITEM and SETITEMS", "}K\u{1}K\u{2}s(K\u{3}K\u{4}u.", "{1: 2, 3: 4}"),
    Case("EMPTY_SET and ADDITEMS", [0x8f, "(", "K", 1, 0x90, "."], "{1}"),
    Case("FROZENSET", ["(", "K", 1, 0x91, "."], "frozenset({1})"),
    Case("DUP", "K\u{1}2\u{86}.".latin1, "(1, 1)"),
    Case("STOP takes the top of several", "K\u{1}K\u{2}.", "2"),
    Case("POP drops a value", "K\u{1}K\u{2}0.", "1"),
    Case("POP drops a mark", "K\u{1}(0.", "1"),
    Case("POP_MARK", "K\u{1}(K\u{2}K\u{3}1.", "1"),
    Case("memo by text index", "K\u{1}p300\n0g300\n.", "1"),
    Case(
      "memo beyond the pickle's length",
      [
        "K", 1, "r", 0xff, 0xff, 0xff, 0xff, "0", "j", 0xff,
        0xff, 0xff, 0xff, ".",
      ], "1"),
    Case("MEMOIZE counts entries", ["K", 7, 0x94, "K", 8, 0x94, "0", "0", "h", 1, "."], "8"),
    Case(
      "MEMOIZE counts entries, not the numbers of others",
      ["K", 7, "q", 5, "K", 8, 0x94, "0", "0", "h", 1, "."], "8"),
    Case("a frame", [0x80, 4, 0x95, 2, 0, 0, 0, 0, 0, 0, 0, "K", 1, "."], "1"),
    Case(
      "duplicate keys: last value, first place", "}(K\u{1}K\u{a}K\u{2}K\u{14}I01\nK\u{1e}u.",
      "{1: 30, 2: 20}"),
    Case("equal float and int keys are one", "}(K\u{1}NF1.0\nK\u{5}u.", "{1: 5}"),
    Case("zero is one key whatever its sign", "}(F-0.0\nNK\0K\u{5}u.", "{-0.0: 5}"),
    Case("no NaN is another's key", "}(Fnan\nNFnan\nK\u{5}u.", "{nan: None, nan: 5}"),
    Case("a NaN is its own key", "Fnan\np0\n}(g0\nNg0\nK\u{5}u.", "{nan: 5}"),
    Case("equal tuple keys are one", "}((K\u{1}tN(K\u{1}tK\u{5}u.", "{(1,): 5}"),
    Case(
      "the same text as key and as number", "}(K\u{1}NX\u{1}\0\0\01K\u{5}u.", "{1: None, '1': 5}"),
    Case(
      "latin1 bytes of protocol 2",
      "\u{80}\u{2}c_codecs\nencode\n(X\u{2}\0\0\0\u{c3}\u{bf}X\u{6}\0\0\0latin1tR.".latin1,
      #"b'\xff'"#),
    Case(
      "a set of protocol 2", "\u{80}\u{2}c__builtin__\nset\n(](K\u{1}K\u{2}etR.".latin1, "{1, 2}"),
    Case("a Python 2 name", "\u{80}\u{2}c__builtin__\nxrange\n.".latin1, "builtins.range"),
    Case(
      "a name of protocol 3 stays", "\u{80}\u{3}c__builtin__\nxrange\n.".latin1,
      "__builtin__.xrange"),
    Case(
      "an unknown class", "\u{80}\u{2}cm\nC\n)\u{81}}X\u{1}\0\0\0aK\u{1}sb.".latin1, "C() {'a': 1}"),
    Case("a Python 2 instance", "(im\nC\n.", "C()"),
    Case("names with spaces", "cmy module\nMy class\n.", "my module.My class"),
    Case("names beyond ASCII", "c\u{e9}\n\u{1f600}\n.", "\u{e9}.\u{1f600}"),
    Case(
      "classes of one name in two modules are two", "}(ca\nC\nK\u{1}cb\nC\nK\u{2}u.",
      "{a.C: 1, b.C: 2}"),
    Case(
      "an object of Python 2's own form",
      "ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR.",
      "_reconstructor(m.C, builtins.object, None)"),
    Case(
      "an OrderedDict made of pairs", "ccollections\nOrderedDict\n((lp0\n(lVa\naK\u{1}aatR.",
      "OrderedDict([['a', 1]])"),
    Case("OBJ", "(cm\nC\nK\u{1}o.", "C(1)"),
    Case("NEWOBJ_EX", "\u{80}\u{4}cm\nC\n)}\u{92}.".latin1, "C()"),
    Case(
      "a nested class of protocol 2", "c__builtin__\ngetattr\n(cm\nC\nX\u{5}\0\0\0InnertR.",
      "m.C.Inner"),
    Case(
      "NEWOBJ of a nested class",
      "\u{80}\u{2}c__builtin__\ngetattr\n(cm\nC\nVInner\ntR)\u{81}}Va\nK\u{1}sb.".latin1,
      "Inner() {'a': 1}"),
    Case(
      "NEWOBJ_EX of a nested class",
      "\u{80}\u{4}cbuiltins\ngetattr\n(cm\nC\nVInner\ntR)}\u{92}.".latin1, "Inner()"),
    Case(
      "OBJ of a nested class", "(c__builtin__\ngetattr\n(cm\nC\nVInner\ntRK\u{1}o.", "Inner(1)"),
    Case(
      "a class nested twice",
      "c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(cm\nC\nVB\ntRVA\ntRK\u{1}\u{85}R.".latin1,
      "A(1)"),
    Case(
      "typing.List[int]",
      "\u{80}\u{2}c_operator\ngetitem\nctyping\nList\nc__builtin__\nlong\n\u{86}R."
        .latin1, "getitem(typing.List, builtins.int)"),
    Case(
      "int | str",
      "\u{80}\u{2}c__builtin__\nreduce\nc_operator\nor_\nc__builtin__\nlong\nc__builtin__\nunicode\n\u{86}\u{86}R."
        .latin1, "reduce(_operator.or_, (builtins.int, builtins.str))"),
  ]

  @Test("Every operation gives the value that Python gives", arguments: values)
  func value(_ test: Case) throws {
    let graph = try test.program.load()
    #expect(graph.description(of: graph.root) == test.value)
  }

  struct Refusal: CustomTestStringConvertible {
    var testDescription: String
    var program: PickleProgram
    var code: CheckpointError.Code
    var message: String

    init(
      _ name: String, _ program: PickleProgram, _ code: CheckpointError.Code, _ message: String
    ) {
      testDescription = name
      self.program = program
      self.code = code
      self.message = message
    }
  }

  static let refusals = [
    Refusal("nothing at all", "", .truncated, "1 bytes are needed, but only 0 are left"),
    Refusal("no STOP", "N", .truncated, "1 bytes are needed, but only 0 are left"),
    Refusal("STOP without an object", ".", .malformed, "the pickle ends without an object"),
    Refusal("STOP on a mark", "(.", .malformed, "the pickle ends without an object"),
    Refusal("an unknown operation", [0xff], .malformed, "0xff is not a pickle opcode"),
    Refusal("a later protocol", [0x80, 6, "N", "."], .unsupported, "pickle protocol 6"),
    Refusal(
      "a frame past the end", [0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, "N", "."], .truncated,
      "a frame of 9 bytes begins, but only 2 are left"),
    Refusal(
      "text past the end", ["X", 0xff, 0xff, 0xff, 0x7f], .truncated,
      "2147483647 bytes are needed, but only 0 are left"),
    Refusal(
      "a length of 2**63", [0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80], .malformed,
      "a length of 9223372036854775808 does not fit 63 bits"),
    Refusal(
      "a LONG4 of negative length", [0x8b, 0xff, 0xff, 0xff, 0xff], .truncated,
      "-1 bytes are needed, but only 0 are left"),
    Refusal(
      "BINBYTES past the end", ["B", 0xff, 0xff, 0xff, 0xff], .truncated,
      "4294967295 bytes are needed, but only 0 are left"),
    Refusal(
      "BINUNICODE8 past the end", [0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      .truncated, "9223372036854775807 bytes are needed, but only 0 are left"),
    Refusal(
      "BINBYTES8 past the end", [0x8e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], .truncated,
      "9223372036854775807 bytes are needed, but only 0 are left"),
    Refusal(
      "BYTEARRAY8 past the end", [0x96, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      .truncated, "9223372036854775807 bytes are needed, but only 0 are left"),
    Refusal(
      "a frame of 2**64 - 1",
      [0x80, 4, 0x95, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, "N", "."], .truncated,
      "a frame of 18446744073709551615 bytes begins, but only 2 are left"),
    Refusal(
      "BINSTRING of negative length", ["T", 0xff, 0xff, 0xff, 0xff, "."], .truncated,
      "-1 bytes are needed, but only 1 are left"),
    Refusal(
      "LONG1 past the end", [0x8a, 0xff, 1], .truncated, "255 bytes are needed, but only 1 are left"
    ),
    Refusal("a line without end", "I12", .truncated, ""),
    Refusal(
      "text that is not UTF-8", ["X", 1, 0, 0, 0, 0xff, "."], .malformed,
      "a str of 1 bytes is not UTF-8"),
    Refusal(
      "an overlong encoding", ["X", 2, 0, 0, 0, 0xc0, 0x80, "."], .malformed,
      "a str of 2 bytes is not UTF-8"),
    Refusal(
      "an unset memo entry", "h\u{5}.", .malformed,
      "memo entry 5 is read before it is written"),
    Refusal(
      "an empty stack", "q\u{0}.", .malformed,
      "the opcode takes more from the stack than it holds"),
    Refusal(
      "taking what lies below a mark", "K\u{1}(a.", .malformed,
      "the opcode takes more from the stack than it holds"),
    Refusal("no mark", "K\u{1}t.", .malformed, "the opcode needs a mark, but the stack has none"),
    Refusal(
      "a key without a value", "}(K\u{1}u.", .malformed,
      "a dict has a key without a value"),
    Refusal(
      "a key that cannot be hashed", "}]Ns.", .malformed,
      "a dict or set has a key that cannot be hashed: []"),
    Refusal(
      "a key that cannot be hashed inside of a tuple", "}(]tNs.", .malformed,
      "a dict or set has a key that cannot be hashed: []"),
    Refusal(
      "a dict in a set", [0x8f, "(", "}", 0x90, "."], .malformed,
      "a dict or set has a key that cannot be hashed: {}"),
    Refusal(
      "appending to a tuple", ")Na.", .malformed,
      "the pickle appends items to something that is not a list"),
    Refusal(
      "setting a key in a list", "]NNs.", .malformed,
      "the pickle sets keys in something that is not a dict"),
    Refusal(
      "adding to a list", ["]", "(", "N", 0x90, "."], .malformed,
      "the pickle adds items to something that is not a set"),
    Refusal(
      "a state for a list", "]Nb.", .malformed,
      "BUILD sets the state of something that has no class"),
    Refusal("a second state", "cm\nC\n)R}b}b.", .unsupported, "an object gets a second state"),
    Refusal(
      "a call of an int", "K\u{1})R.", .malformed,
      "a call of something that is not a class or function"),
    Refusal(
      "arguments that are not a tuple", "cm\nC\n]R.", .malformed,
      "the arguments of a call are not a tuple"),
    Refusal(
      "a global named by a number", ["K", 1, "K", 2, 0x93, "."], .malformed,
      "the name of a global is not a str"),
    Refusal(
      "a global whose module is a number", ["K", 1, "V", "C", 10, 0x93, "."], .malformed,
      "the name of a global is not a str"),
    Refusal(
      "a global whose name is not UTF-8", ["c", "m", 10, 0xff, 10, "."], .malformed,
      "the name of a global is not UTF-8"),
    Refusal(
      "an extension code", [0x82, 1, "."], .unsupported,
      "the pickle names a class by an extension code; only the process that wrote it knows the code"
    ),
    Refusal(
      "an extension code of two bytes", [0x83, 1, 2, "."], .unsupported,
      "the pickle names a class by an extension code; only the process that wrote it knows the code"
    ),
    Refusal(
      "an extension code of four bytes", [0x84, 1, 2, 3, 4, "."], .unsupported,
      "the pickle names a class by an extension code; only the process that wrote it knows the code"
    ),
    Refusal(
      "an out-of-band buffer", [0x97, "."], .unsupported,
      "the pickle needs out-of-band buffers, which are not in the file"),
    Refusal(
      "an int of 5000 digits",
      PickleProgram(stringLiteral: "L" + String(repeating: "9", count: 5000) + "L\n."),
      .malformed, "'9999999999999999999999999999999999999999' is not an int"),
    Refusal("a negative memo index", "Np-1\n.", .malformed, "'-1' is not a memo index"),
  ]

  @Test("What Python cannot load, or only by running code, is an error", arguments: refusals)
  func refusal(_ test: Refusal) {
    let error = #expect(throws: CheckpointError.self) { try test.program.load() }
    #expect(error?.code == test.code)
    #expect(error?.message.hasPrefix(test.message) == true, "\(error?.message ?? "")")
    #expect(error?.offset != nil)
  }

  @Test("A container filled after it was memoized is one object with its references")
  func lateFilling() throws {
    // [d, d] with d filled between the two references
    let graph = try PickleProgram("](}q\u{0}K\u{1}K\u{2}sh\u{0}e.").load()
    guard case .list(let run) = graph[graph.root] else {
      Issue.record("not a list")
      return
    }
    let items = Array(graph[run])
    #expect(items[0] == items[1])
    #expect(graph.description(of: graph.root) == "[{1: 2}, {1: 2}]")
  }

  @Test("A list may contain itself")
  func recursion() throws {
    let graph = try PickleProgram("]q\u{0}h\u{0}a.").load()
    guard case .list(let run) = graph[graph.root] else {
      Issue.record("not a list")
      return
    }
    #expect(Array(graph[run]) == [graph.root])
  }

  @Test("A dict may be its own value, and a tuple may hold itself through a list")
  func recursionThroughOthers() throws {
    let dict = try PickleProgram("}q\u{0}K\u{1}h\u{0}s.").load()
    #expect(try #require(dict.entries(of: dict.root)).map(\.value) == [dict.root])
    // A list that gets the tuple made of it; Python pickles a tuple that holds itself this way.
    let tuple = try PickleProgram(
      Array("]q\u{0}h\u{0}".utf8) + [0x85] + Array("q\u{1}a0h\u{1}.".utf8)
    ).load()
    let list = try #require(tuple.tuple(tuple.root)?.first)
    guard case .list(let run) = tuple[list] else {
      Issue.record("not a list")
      return
    }
    #expect(Array(tuple[run]) == [tuple.root])
  }

  @Test("Nesting is as deep as the pickle is long")
  func deepNesting() throws {
    let depth = 200_000
    let program = PickleProgram(
      [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        + [UInt8](repeating: UInt8(ascii: "a"), count: depth - 1) + [UInt8(ascii: ".")])
    let graph = try program.load()
    #expect(graph.reachable(from: [graph.root]).count == depth)
    #expect(try Pickler.pickle(graph.root, of: graph, protocol: 2).count > depth)
  }

  @Test("A long key is looked at once, however often it is named")
  func longKeys() throws {
    let text = PickledValue.str(String(repeating: "k", count: 1_000_000)).program
    // Two equal strs, by turns the key of a dict and inside a tuple that is one.
    var program = text + Array("q\u{0}0".utf8) + text + Array("q\u{1}0}(".utf8)
    for index in 0..<20_000 {
      program += Array("h\u{0}Nh\u{1}Nh\(index % 2 == 0 ? "\u{0}" : "\u{1}")".utf8) + [0x85, 0x4e]
    }
    let graph = try PickleProgram(program + Array("u.".utf8)).load()
    guard case .dict(let run) = graph[graph.root] else {
      Issue.record("not a dict")
      return
    }
    #expect(run.count == 4)
  }

  @Test("Shared references are not copied, however often they multiply")
  func memoBomb() throws {
    // Each tuple holds the one before it twice: 2**40 leaves in 40 nodes.
    var bytes = Array("Nq\u{0}".utf8)
    for index in 0..<40 {
      bytes += [0x68, UInt8(index), 0x68, UInt8(index), 0x86, 0x71, UInt8(index + 1)]
    }
    let graph = try PickleProgram(bytes + [0x2e]).load()
    #expect(graph.reachable(from: [graph.root]).count == 41)
    #expect(graph.description(of: graph.root, limit: 50).count == 50)
  }

  @Test("Calls whose results are thrown away are kept aside")
  func discardedCalls() throws {
    let graph = try PickleProgram("cm\nC\n(K\u{7}tR0N.").load()
    #expect(graph.discarded.map { graph.description(of: $0) } == ["C(7)"])
  }

  @Test("Several pickles can be read one after the other")
  func stream() throws {
    let bytes = Array("K\u{1}.K\u{2}.".utf8)
    var machine = Unpickler()
    var reader = ByteReader(bytes.span)
    let first = try machine.load(&reader)
    let second = try machine.load(&reader)
    let remaining = reader.remaining
    let graph = machine.finish()
    #expect(remaining == 0)
    #expect(graph.int(first) == 1)
    #expect(graph.int(second) == 2)
  }
}

extension PickleProgram {
  init(_ text: String) { bytes = Array(text.utf8) }
}

extension String {
  /// A program given as characters that stand for one byte each.
  fileprivate var latin1: PickleProgram {
    PickleProgram(unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
  }
}

extension UInt8: @retroactive ExpressibleByUnicodeScalarLiteral {
  /// The code of an ASCII character, so that programs can be written as they are dumped.
  public init(unicodeScalarLiteral scalar: Unicode.Scalar) { self = UInt8(ascii: scalar) }
}

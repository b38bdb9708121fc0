import CkptBase
import CkptPickle
import Testing

struct PickleScanTests {
  /// The expected result of a scan for one global.
  struct Expected: Sendable {
    var name: String
    var verdict: GlobalPolicy.Verdict
    var ways: Set<GlobalUse.Way>
    var offset: Int?

    init(
      _ name: String, _ ways: Set<GlobalUse.Way> = [],
      _ verdict: GlobalPolicy.Verdict = .dangerous, at offset: Int? = nil
    ) {
      self.name = name
      self.verdict = verdict
      self.ways = ways
      self.offset = offset
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var program: PickleProgram
    var expected: [Expected]
    /// The offset of the first error in the program, if any.
    var fault: Int?

    init(
      _ name: String, _ program: PickleProgram, _ expected: Expected..., fault: Int? = nil
    ) {
      testDescription = name
      self.program = program
      self.expected = expected
      self.fault = fault
    }
  }

  static let forms = [
    Case("REDUCE", "cos\nsystem\n(Vid\ntR.", Expected("os.system", [.reduce], at: 0)),
    Case(
      "NEWOBJ", .init("cos\nsystem\n)".bytes + [0x81, 0x2e]), Expected("os.system", [.newObject])),
    Case(
      "NEWOBJ_EX", .init("cos\nsystem\n)}".bytes + [0x92, 0x2e]),
      Expected("os.system", [.newObjectEx])),
    Case("INST", "(Vid\nios\nsystem\n.", Expected("os.system", [.instance], at: 5)),
    Case("OBJ", "(cos\nsystem\nVid\no.", Expected("os.system", [.object], at: 1)),
    Case(
      "EXT1", .init([0x82, 240] + ")R.".bytes),
      Expected("copyreg.extension code 240", [.registered, .reduce], .suspicious)),
    Case(
      "BUILD of what a class made", "cm\nC\n)R}b.", Expected("m.C", [.reduce, .build], .opaque)),
    Case(
      "BUILD of a class itself", "cm\nC\n(N}Vx\nNstb.", Expected("m.C", [.build])),
    Case(
      "two states for one object", "cm\nC\n)R}b}cos\nsystem\nNsb.",
      Expected("os.system", []), Expected("m.C", [.reduce, .build], .opaque)),
    Case(
      "a call that is a plain value", "\u{80}\u{2}".latin1 + "c__builtin__\nset\n(]tR.",
      Expected("builtins.set", [.reduce], .known)),
    Case("not called", "cos\nsystem\n.", Expected("os.system", [])),
    Case("dropped", "cos\nsystem\n0N.", Expected("os.system", [])),
  ]

  static let evasions = [
    Case(
      "STACK_GLOBAL from the memo",
      .init("Vsystem\nq\u{7}0Vos\nh\u{7}".bytes + [0x93, 0x2e]), Expected("os.system", [])),
    Case(
      "STACK_GLOBAL from DUP", .init("Vpip\n2".bytes + [0x93, 0x2e]), Expected("pip.pip", [])),
    Case(
      "STACK_GLOBAL from a name that is computed",
      .init("cbuiltins\nstr\n(Vos\ntRVsystem\n".bytes + [0x93] + ")R.".bytes),
      Expected("str('os').system", [.reduce])),
    Case(
      "getattr of an imported module",
      "c__builtin__\ngetattr\n(c__builtin__\n__import__\n(Vos\ntRVsystem\ntR(Vid\ntR.",
      Expected("builtins.getattr", [.reduce]), Expected("builtins.__import__", [.reduce]),
      Expected("os.system", [.attribute, .reduce])),
    Case(
      "a chain of getattr",
      "c__builtin__\ngetattr\n(c__builtin__\ngetattr\n(ctorch\nserialization\nVos\ntRVsystem\ntR)R.",
      Expected("torch.serialization.os.system", [.attribute, .reduce])),
    Case(
      "getattr of a value", "c__builtin__\ngetattr\n(]Vappend\ntR.",
      Expected("builtins.getattr", [.reduce])),
    Case(
      "the result of a call is called", "cm\nf\n(Vx\ntR(Vy\ntR.",
      Expected("m.f", [.reduce, .result])),
    Case(
      "an item of an object", "c_operator\ngetitem\n(cm\nC\n)RVx\ntR.",
      Expected("_operator.getitem", [.reduce])),
    Case(
      "reduce of a function", "c__builtin__\nreduce\n(cm\nf\n]tR.",
      Expected("functools.reduce", [.reduce])),
    Case(
      "int | str", "c__builtin__\nreduce\n(c_operator\nor_\n]tR.",
      Expected("functools.reduce", [.reduce], .opaque)),
    Case(
      "REDUCE in REDUCE", "cfunctools\npartial\n(cos\nsystem\nVid\ntR)R.",
      Expected("functools.partial", [.reduce, .result]), Expected("os.system", [])),
    Case(
      "PROTO 4 and then PROTO 2", .init([0x80, 4, 0x80, 2] + "c__builtin__\neval\n)R.".bytes),
      Expected("builtins.eval", [.reduce])),
    Case(
      "PROTO 2 and then PROTO 4", .init([0x80, 2, 0x80, 4] + "c__builtin__\neval\n)R.".bytes),
      Expected("__builtin__.eval", [.reduce])),
    Case(
      "a Python 2 name", "ccommands\ngetoutput\n(Vid\ntR.",
      Expected("subprocess.getoutput", [.reduce])),
    Case("a module in another", "ctorch\nos\n(N}Vx\nNstb.", Expected("torch.os", [.build])),
    Case(
      "a method of a path", .init([0x80, 4] + "cpathlib\nPath.unlink\n(NtR.".bytes),
      Expected("pathlib.Path.unlink", [.reduce])),
    Case(
      "behind what no reader takes", "I0x10\n0(Vid\nios\nsystem\n.",
      Expected("os.system", [.instance])),
    Case(
      "behind what Python does not take", "Iabc\n0(Vid\nios\nsystem\n.",
      Expected("os.system", [.instance]), fault: 0),
    Case(
      "with an operand below what Python does not take",
      .init("Vos\nIabc\n0Vsystem\n".bytes + [0x93, 0x2e]), Expected("os.system", []), fault: 4),
    Case(
      "behind a memo entry that is missing", "h\u{9}cos\nsystem\n)R.",
      Expected("os.system", [.reduce]), fault: 0),
    Case("behind an underflow", "RRcos\nsystem\n)R.", Expected("os.system", [.reduce]), fault: 0),
    Case(
      "before bytes that are no operation", .init("cos\nsystem\n)R".bytes + [0xff, 0x2e]),
      Expected("os.system", [.reduce]), fault: 13),
    Case(
      "before the end without STOP", "cos\nsystem\n)R", Expected("os.system", [.reduce]), fault: 13),
    Case(
      "before a length beyond the end", .init("cos\nsystem\n)RX".bytes + [255, 255, 255, 255]),
      Expected("os.system", [.reduce]), fault: 13),
  ]

  @Test("Globals are found with place and use", arguments: forms + evasions)
  func globals(_ test: Case) throws {
    let scan = PickleScan(test.program.bytes.span)
    for expected in test.expected {
      let found = try #require(
        scan.globals.first { $0.qualifiedName == expected.name },
        "\(expected.name) is not among \(scan.globals.map(\.qualifiedName))")
      #expect(found.verdict == expected.verdict)
      #expect(found.ways == expected.ways)
      if let offset = expected.offset { #expect(found.offset == offset) }
    }
    #expect(scan.fault?.offset == test.fault)
  }

  @Test("Mentions and calls are counted, the worst global comes first")
  func counts() {
    let program: PickleProgram = "(cm\nC\n)Rcm\nC\nq\u{1})Rh\u{1})Rcos\nsystem\nt."
    let scan = PickleScan(program.bytes.span, base: 100)
    #expect(scan.globals.map(\.qualifiedName) == ["os.system", "m.C"])
    #expect(scan.globals[1].mentions == 2)
    #expect(scan.globals[1].calls == 3)
    #expect(scan.globals[1].offset == 101)
    #expect(scan.isComplete)
    #expect(scan.byteCount == program.bytes.count)
  }

  @Test("Pickles in values are found by what they would do")
  func nested() {
    let inner: [UInt8] = [0x80, 2] + "cos\nsystem\n)R.".bytes
    let text = "cos\nsystem\n)R.".bytes
    var program: [UInt8] = [0x80, 4, 0x28]
    program += "B".bytes + [UInt8(inner.count), 0, 0, 0] + inner
    program += "C".bytes + [UInt8(text.count)] + text
    program += "C\u{5}12345t.".bytes
    let scan = PickleScan(program.span)
    #expect(scan.nested.map(\.bytes) == [inner, text])
    #expect(scan.nested.map(\.offset) == [3, 8 + inner.count])
  }

  @Test("Bytes that protocol 2 spells as text are looked into")
  func nestedText() {
    let program: [UInt8] =
      [0x80, 2] + "c_codecs\nencode\n(X".bytes + [5, 0, 0, 0] + "\u{80}\u{2}N.".utf8
      + "Vlatin1\ntR.".bytes
    let scan = PickleScan(program.span)
    #expect(scan.nested.contains { $0.bytes == [0x80, 2, 0x4e, 0x2e] })
  }

  @Test("Any operation can be stepped over: the stack stays as Python would have it")
  func everyOperation() {
    // A fault in whatever operation it may be, then a global from two strings below it.
    for code in UInt8.min...UInt8.max {
      let program: [UInt8] = [code] + [0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0x0a] + "cos\nsystem\n.".bytes
      let scan = PickleScan(program.span)
      #expect(scan.byteCount <= program.count)
    }
  }

  @Test("No number of faults hides what follows, up to a million")
  func manyFaults() {
    let faults = [UInt8](repeating: UInt8(ascii: "R"), count: 5000)
    #expect(PickleScan((faults + "cos\nsystem\n.".bytes).span).verdict == .dangerous)
    let scan = PickleScan([UInt8](repeating: UInt8(ascii: "R"), count: 1 << 21).span)
    #expect(scan.byteCount == 1 << 20)
    #expect(scan.fault?.offset == 0)
  }

  @Test("A scan that stops at a fault has what Python would have run")
  func stopping() {
    let program = Array("cos\nsystem\n)R0RRcos\npopen\n.".utf8)
    let names = { (scan: PickleScan) in scan.globals.map(\.qualifiedName) }
    #expect(names(PickleScan(program.span, stopsAtFault: true)) == ["os.system"])
    #expect(names(PickleScan(program.span)) == ["os.system", "os.popen"])
  }
}

extension String {
  fileprivate var bytes: [UInt8] { Array(utf8) }

  /// The text whose characters are the bytes.
  fileprivate var latin1: PickleProgram { .init(unicodeScalars.map { UInt8($0.value) }) }
}

private func + (left: PickleProgram, right: String) -> PickleProgram {
  .init(left.bytes + right.bytes)
}

import CkptBase
import CkptContainer
import CkptHostileSupport
import CkptGraph
import CkptJSON
import CkptPickle
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing
import CkptTorch

/// Pickles in which a fuzzer broke a rule once.
@Suite("What a pickle describes is what its own pickle describes")
struct PickleRuleTests {
  @Test("Keys that became None, since they can run code, are one key")
  func droppedKeys() throws {
    var pickle = PickleProgram()
    pickle.add("}(cos\nsystem\nK\u{1}cos\nexecv\nK\u{2}u.")
    try HostilePickle.check(pickle.bytes)
  }

  @Test("A name that protocol 2 reads as another is not written in it")
  func pythonTwoName() throws {
    var program = PickleProgram()
    program.add([0x80, 4])
    program.add("c__builtin__\nxrange\n")
    program.add([0x80, 2])
    program.add("c__builtin__\nxrange\n")
    program.add([0x86])
    try HostilePickle.check(program.bytes + Array(".".utf8))
    #expect(try Self.codeInProtocol2(program) == .unsupported)
  }

  @Test(
    "A name of several lines, of which the second names a function, never becomes operations",
    arguments: [Layout.plain, .olmo])
  func lines(_ layout: Layout) throws {
    var program = PickleProgram()
    program.add([0x80, 4])
    program.text("harmless")
    program.text("name\ncos\nsystem")
    program.add([0x93])
    program.add([0x80, 2])
    #expect(throws: Never.self) { try HostilePickle.check(program.bytes + Array(".".utf8)) }
    #expect(try HostileFile.check(program.archive(), layout: layout) == .refused(.forbidden))
  }

  @Test("A set that holds what was made from it returns where pickles fill sets later")
  func recursiveSet() throws {
    func program(_ version: UInt8) -> PickleProgram {
      var program = PickleProgram()
      program.add([0x80, version, 0x8f])
      program.add("q\0(cm\nC\nh\0")
      program.add([0x85])
      program.add("R")
      program.add([0x90])
      return program
    }
    try HostilePickle.check(program(4).bytes + Array(".".utf8))
    for layout in [Layout.plain, .olmo] {
      #expect(try HostileFile.check(program(4).archive(), layout: layout) == .survived)
    }
    #expect(try Self.codeInProtocol2(program(4)) == .unsupported)
    let outcome = try HostileFile.check(program(2).archive(), layout: .plain)
    #expect(outcome == .refused(.malformed))
  }

  @Test("A global that is named twice is one element of a set, and one key")
  func equalGlobals() throws {
    var program = PickleProgram()
    program.add([0x80, 4])
    program.add("(cm\nC\ncm\nC\ncm\nD\n")
    program.add([0x91])
    program.add("}(cm\nC\nK\u{1}cm\nC\nK\u{2}u")
    program.add([0x86])
    try HostilePickle.check(program.bytes + Array(".".utf8))
    let graph = try TorchReader.read(TemporaryFile.holding(program.archive())).graph
    #expect(graph.description(of: graph.root) == "(frozenset({m.C, m.D}), {m.C: 2})")
  }

  @Test("Globals whose names Unicode calls equivalent are two", arguments: [2, 4] as [UInt8])
  func equivalentGlobals(_ version: UInt8) throws {
    var program = PickleProgram()
    program.add([0x80, version])
    for module in ["m\u{e9}", "me\u{301}"] { program.add("c\(module)\nC\u{e9}\n") }
    program.add([0x86])
    try HostilePickle.check(program.bytes + Array(".".utf8))
    let graph = try TorchReader.read(TemporaryFile.holding(program.archive())).graph
    let pickle = try Pickler.pickle(graph.root, of: graph, protocol: Int(version))
    for module in ["m\u{e9}", "me\u{301}"] {
      #expect(pickle.firstRange(of: Array(module.utf8)) != nil)
    }
    #expect(graph.opaqueGlobals().count == 2)
  }

  /// Pickles the object of `program` with protocol 2 and returns the error code.
  private static func codeInProtocol2(_ program: PickleProgram) throws -> CheckpointError.Code? {
    let graph = try TorchReader.read(TemporaryFile.holding(program.archive())).graph
    do {
      _ = try Pickler.pickle(graph.root, of: graph, protocol: 2)
      return nil
    } catch { return error.code }
  }

  @Test("A value in OLMo's layout has no storages outside of itself")
  func storageInValue() throws {
    var key = PickleProgram()
    key.text("a")
    key.add([0x85, 0x88, 0x86])
    key.add(".")
    let value = Array("(NNQ.".utf8)
    let name = Base64.encode(key.bytes, .urlSafe)
    let header = #"{"\#(name)":{"dtype":"U8","shape":[5],"data_offsets":[0,5]}}"#
    let file = SafetensorsFile(header, data: value).bytes
    #expect(try HostileFile.check(file, layout: .olmo) == .refused(.malformed))
  }
}

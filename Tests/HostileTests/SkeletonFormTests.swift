import CkptBase
import CkptHostileSupport
import CkptJSON
import CkptSkeleton
import CkptTestSupport
import Testing

/// Forms of tensors, runs of storages and compressed texts that ask for more than there is.
@Suite("Compact skeletons that lie")
struct SkeletonFormTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var code: CheckpointError.Code?
    var records = #"["data/0",4],"#
    var root = #"["dict","w",["tensor",0]]"#
    var forms = SkeletonFormTests.form()
    var names = ["w"]
    var testDescription: String { name }
  }

  /// A form of float32 tensors with one element.
  static func form(
    function: String = #"["global","torch._utils","_rebuild_tensor_v2"]"#, count: String = "1",
    shape: String = "[1]", hooks: String = #"["global","collections","OrderedDict"]"#
  ) -> String {
    #"[\#(function),"storage",["global","torch","FloatStorage"],"cpu",\#(count),0,"#
      + #"\#(shape),[1],false,\#(hooks)]"#
  }

  private static let three = #"["dict","a",["tensor",0],"b",["tensor",0],"c",["tensor",0]]"#
  private static let abc = ["a", "b", "c"]

  static let cases = [
    Case(name: "the truth"),
    Case(name: "a run of storages", records: "[0,3],", root: three, names: abc),
    Case(name: "a run in the order of text", records: #"[0,3,"text"],"#, root: three, names: abc),
    Case(
      name: "keys that are not in their order", records: "[0,3],",
      root: #"["dict","a",["tensor",0,"2"],"b",["tensor",0,"0"],"c",["tensor",0]]"#, names: abc),
    Case(name: "a form that is not there", code: .malformed, root: #"["dict","w",["tensor",1]]"#),
    Case(name: "a form without end", code: .malformed, forms: "[1,2,3]"),
    Case(name: "a form that calls no function", code: .malformed, forms: form(function: "1")),
    Case(
      name: "a form that names a dangerous function", code: .forbidden,
      forms: form(hooks: #"["global","os","system"]"#)),
    Case(name: "a storage of another size", code: .malformed, forms: form(count: "2")),
    Case(name: "a size that overflows", code: .malformed, forms: form(count: String(Int.max))),
    Case(name: "a negative shape", code: .malformed, forms: form(shape: "[-1]")),
    Case(
      name: "a tensor in the place of hooks", code: .malformed, forms: form(hooks: #"["tensor",0]"#)
    ),
    Case(
      name: "a number in the place of a key", code: .malformed,
      root: #"["dict","w",["tensor",0,5]]"#),
    Case(
      name: "a tensor named by its path that is in no dict",
      root: #"["list",["tensor",0]]"#, names: ["0"]),
    Case(
      name: "a tensor named by its path that is not in the file",
      root:
        #"["dict","w",["tensor",0],"v",["tensor",0,"0"]]"#),
    Case(name: "a run with more storages than tensors", code: .malformed, records: "[0,2],"),
    Case(name: "a run of all numbers", code: .malformed, records: "[1,\(Int.max)],"),
    Case(name: "a run from the last number on", code: .malformed, records: "[\(Int.max),1],"),
    Case(name: "a storage in two runs", code: .malformed, records: "[0,1],[0,1],"),
    Case(
      name: "a run with a storage that no tensor has", code: .malformed,
      records: #"[0,1],["data/7",4],"#, root: #"["dict","w",["tensor",0,"7"]]"#),
    Case(name: "a run of no length", code: .malformed, records: "[0],"),
    Case(name: "a run in an order nobody knows", code: .malformed, records: #"[0,1,"size"],"#),
    Case(
      name: "a part of a run in the order of text", code: .malformed, records: #"[1,1,"text"],"#),
    Case(
      name: "nodes inside one another", code: .limitExceeded,
      root: String(repeating: #"["list","#, count: 40) + "1" + String(repeating: "]", count: 40),
      names: []),
    Case(
      name: "more arguments than any function has", code: .limitExceeded,
      forms: String(form().dropLast()) + String(repeating: ",null", count: 100) + "]"),
  ]

  private static func text(_ test: Case) -> String {
    OverflowTests.text(
      version: 2, records: test.records, root: test.root, nodes: "", forms: test.forms)
  }

  /// A file with a skeleton of this text, and tensors of one element.
  private static func file(_ text: String, names: [String]) -> [UInt8] {
    let entries = names.enumerated().map { number, name in
      #""\#(name)":{"dtype":"F32","shape":[1],"data_offsets":[\#(4 * number),\#(4 * number + 4)]}"#
    }
    let data = names.flatMap { _ in [0, 0, 128, 63] as [UInt8] }
    return OverflowTests.safetensors(text, entries.joined(separator: ","), data)
  }

  @Test("They are refused, or are right after all", arguments: cases)
  func survives(_ test: Case) throws {
    let outcome = try HostileFile.check(
      Self.file(Self.text(test), names: test.names), layout: .plain)
    #expect(outcome == test.code.map { .refused($0) } ?? .survived)
  }

  @Test("The same text compressed is the same", arguments: cases)
  func compressed(_ test: Case) throws {
    let text = Self.packed(Array(Self.text(test).utf8))
    let outcome = try HostileFile.check(Self.file(text, names: test.names), layout: .plain)
    #expect(outcome == test.code.map { .refused($0) } ?? .survived)
  }

  private static func packed(_ text: [UInt8], byteCount: Int? = nil) -> String {
    #"{"skeleton":2,"bytes":\#(byteCount ?? text.count),"#
      + #""deflate":"\#(Base64.encode(Deflate.stored(text), .standard))"}"#
  }

  struct Packing: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let code: CheckpointError.Code
    let text: String
  }

  private static let whole = Array(text(cases[0]).utf8)

  static let packings = [
    Packing(
      testDescription: "fewer bytes than announced", code: .malformed,
      text: packed(whole, byteCount: whole.count + 1)),
    Packing(
      testDescription: "more bytes than announced", code: .malformed,
      text: packed(whole, byteCount: whole.count - 1)),
    Packing(
      testDescription: "no number of bytes", code: .malformed,
      text: #"{"skeleton":2,"deflate":"\#(Base64.encode(Deflate.stored(whole), .standard))"}"#),
    Packing(
      testDescription: "all the bytes there can be", code: .limitExceeded,
      text: packed(whole, byteCount: .max)),
    Packing(
      testDescription: "a few bytes that stand for very many", code: .limitExceeded,
      text: #"{"skeleton":2,"bytes":\#(1 + 258 * 4096),"#
        + #""deflate":"\#(Base64.encode(Deflate.zeros(runs: 4096), .standard))"}"#),
    Packing(
      testDescription: "what is compressed already", code: .malformed,
      text: packed(Array(packed(whole).utf8))),
    Packing(
      testDescription: "what is not compressed", code: .malformed,
      text: #"{"skeleton":2,"bytes":3,"deflate":"////"}"#),
    Packing(
      testDescription: "what is not base64", code: .malformed,
      text: #"{"skeleton":2,"bytes":3,"deflate":"?"}"#),
  ]

  @Test("A compressed text that is not what it says is refused", arguments: packings)
  func packing(_ test: Packing) throws {
    let outcome = try HostileFile.check(Self.file(test.text, names: ["w"]), layout: .plain)
    #expect(outcome == .refused(test.code))
  }
}

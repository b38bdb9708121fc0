import CkptGraph
import CkptJSON
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// The skeleton as `Documentation/skeleton.md` specifies it, text by text.
struct SkeletonTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var object: PickledValue
    var storages: [[UInt8]] = []
    var root: String
    var nodes: String
    var forms: String

    init(
      _ name: String, _ object: PickledValue, storages: [[UInt8]] = [], _ root: String,
      nodes: String = "", forms: String = ""
    ) {
      testDescription = name
      self.object = object
      self.storages = storages
      self.root = root
      self.nodes = nodes
      self.forms = forms
    }
  }

  private static func operations(_ text: String) -> PickledValue { .operations(Array(text.utf8)) }

  static let values = [
    Case("None", .none, "null"), Case("True", true, "true"),
    Case("a small int", -5, "-5"),
    Case("the largest int that JSON keeps", .int(1 << 53 - 1), "9007199254740991"),
    Case("the next int", .int(1 << 53), #"["int","0x20000000000000"]"#),
    Case("the smallest int that JSON keeps", .int(-(1 << 53 - 1)), "-9007199254740991"),
    Case("the int before it", .int(-(1 << 53)), #"["int","-0x20000000000000"]"#),
    Case("the least int of 64 bits", .int(.min), #"["int","-0x8000000000000000"]"#),
    Case(
      "an int of 65 bits", operations("L18446744073709551616L\n"),
      #"["int","0x10000000000000000"]"#),
    Case(
      "its negative", operations("L-18446744073709551616L\n"), #"["int","-0x10000000000000000"]"#),
    Case("negative zero", -0.0, "-0.0"), Case("a whole float", 2.0, "2.0"),
    Case("a float", 0.1, "0.1"), Case("a large float", 1e300, "1e+300"),
    Case("a tiny float", .float(.leastNonzeroMagnitude), "5e-324"),
    Case("infinity", .float(.infinity), #"["float","7ff0000000000000"]"#),
    Case("negative infinity", .float(-.infinity), #"["float","fff0000000000000"]"#),
    Case(
      "NaN with its payload", .float(Double(bitPattern: 0x7ff8_0000_0000_0001)),
      #"["float","7ff8000000000001"]"#),
    Case("a str", "a\"é\u{1}", #""a\"é\u0001""#),
    Case(
      "a str with a lone surrogate", .operations(Array("X\u{3}\0\0\0".utf8) + [0xed, 0xa0, 0x80]),
      #"["str",null,"7aCA"]"#),
    Case("bytes", .bytes([0, 255]), #"["bytes","AP8="]"#),
    Case("no bytes", .bytes([]), #"["bytes",""]"#),
    Case(
      "a bytearray", .call(.global("__builtin__", "bytearray"), [.bytes([1])]),
      #"["bytearray","AQ=="]"#),
    Case("a class", .global("m", "C"), #"["global","m","C"]"#),
  ]

  static let containers = [
    Case("an empty dict", [:], #"["dict"]"#),
    Case("a dict in its order", ["b": 1, "a": .none], #"["dict","b",1,"a",null]"#),
    Case("a list in a tuple", .tuple([[1, 2.5], "x"]), #"["tuple",["list",1,2.5],"x"]"#),
    Case("the empty tuple", .tuple([]), #"["tuple"]"#),
    Case("a set", .call(.global("__builtin__", "set"), [[1, 2]]), #"["set",1,2]"#),
    Case("a frozenset", .call(.global("__builtin__", "frozenset"), [[1]]), #"["frozenset",1]"#),
    Case("equal strs are written twice", ["x", "x"], #"["list","x","x"]"#),
    Case(
      "one str used twice has a number", [.memoized(0, "x"), .memo(0)], #"["list",[0],[0]]"#,
      nodes: #"["str","x"]"#),
    Case(
      "one list used twice has a number", [.memoized(0, []), .memo(0)], #"["list",[0],[0]]"#,
      nodes: #"["list"]"#),
    Case("a list that holds itself", operations("]q\u{7}h\u{7}a"), "[0]", nodes: #"["list",[0]]"#),
    Case(
      "what is used once stands in its place", [[["a"]], ["b"]],
      #"["list",["list",["list","a"]],["list","b"]]"#),
    Case(
      "nodes stand inside one another up to a depth", nested(34),
      repeating(#"["list","#, 31) + #"["list",[0]"# + repeating("]", 32),
      nodes: #"["list",["list"]]"#),
    Case(
      "the str that spelled a byte is named if it is used elsewhere",
      [
        .call(.global("_codecs", "encode"), [.memoized(0, "a"), "latin1"]), .memo(0),
      ], #"["list",["bytes","YQ==",[0]],[0]]"#, nodes: #"["str","a"]"#),
    Case(
      "and is not if it is not", .call(.global("_codecs", "encode"), ["a", "latin1"]),
      #"["bytes","YQ=="]"#),
  ]

  private static func nested(_ count: Int) -> PickledValue {
    (1..<count).reduce([]) { inner, _ in [inner] }
  }

  private static func repeating(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
  }

  static let objects = [
    Case("a call", .call(.global("m", "f"), [1]), #"["call",["global","m","f"],["tuple",1]]"#),
    Case(
      "a new object with a state", .built(.new(.global("m", "C"), []), state: ["x": 1]),
      #"["new",["global","m","C"],["tuple"],{"state":["dict","x",1]}]"#),
    Case(
      "an OrderedDict with a state",
      .built(.filled(.noHooks, pairs: ["a", 1, "b", 2]), state: .none),
      #"["call",["global","collections","OrderedDict"],["tuple"],"#
        + #"{"pairs":["a",1,"b",2],"state":null}]"#),
    Case(
      "a deque with items", .filled(.call(.global("collections", "deque"), []), items: [1, 2]),
      #"["call",["global","collections","deque"],["tuple"],{"items":[1,2]}]"#),
    Case(
      "an object with keywords",
      .operations(
        Array("cm\nC\n)}".utf8) + PickledValue.str("k").program + Array("K\u{1}s".utf8)
          + [0x92]), #"["new_ex",["global","m","C"],["tuple"],["dict","k",1]]"#),
    Case(
      "an instance of Python 2", operations("(K\u{1}im\nC\n"),
      #"["instance",["global","m","C"],["tuple",1]]"#),
    Case(
      "two classes of one module share its name", [.global("m", "C"), .global("m", "D")],
      #"["list",["global",[0],"C"],["global",[0],"D"]]"#, nodes: #"["str","m"]"#),
  ]

  private static let hooks = #"["global","collections","OrderedDict"]"#

  static let tensors = [
    Case(
      "a tensor", .tensor(.storage("FloatStorage", 1), []), storages: [[0, 0, 0, 0]],
      #"["tensor",0,null,"tensor"]"#,
      forms: #"[["global","torch._utils","_rebuild_tensor_v2"],"storage","#
        + #"["global","torch","FloatStorage"],"cpu",1,0,[],[],false,\#(hooks)]"#),
    Case(
      "a tensor whose name follows from its keys",
      ["a": [3: .tensor(.storage("ByteStorage", 1), [1])]],
      storages: [[0]], #"["dict","a",["dict",3,["tensor",0]]]"#,
      forms: #"[["global","torch._utils","_rebuild_tensor_v2"],"storage","#
        + #"["global","torch","ByteStorage"],"cpu",1,0,[1],[1],false,\#(hooks)]"#),
    Case(
      "a tensor that is used twice",
      [.memoized(0, .tensor(.storage("ByteStorage", 1), [1])), .memo(0)],
      storages: [[0]], #"["list",[0],[0]]"#, nodes: #"["tensor",0,null,"0"]"#,
      forms: #"[["global","torch._utils","_rebuild_tensor_v2"],"storage","#
        + #"["global","torch","ByteStorage"],"cpu",1,0,[1],[1],false,\#(hooks)]"#),
    Case(
      "a tensor of a dtype that safetensors lacks",
      .rebuilt(
        by: "_rebuild_tensor",
        [.storage("ComplexDoubleStorage", 1), 0, .ints([1]), .ints([1])]),
      storages: [[UInt8](repeating: 0, count: 16)],
      #"["tensor","tensor",["call",["global","torch._utils","_rebuild_tensor"],"#
        + #"["tuple",["persistent",["tuple","storage",["global","torch","ComplexDoubleStorage"],"#
        + #""0","cpu",1]],0,["tuple",1],["tuple",1]]],{"dtype":"complex128","shape":[1]}]"#),
    Case(
      "a meta tensor",
      .rebuilt(
        by: "_rebuild_meta_tensor_no_storage",
        [.global("torch", "int8"), .ints([2]), .ints([1]), false]),
      #"["tensor",null,["call",["global","torch._utils","_rebuild_meta_tensor_no_storage"],"#
        + #"["tuple",["global","torch","int8"],["tuple",2],["tuple",1],false]],"#
        + #"{"dtype":"int8","shape":[2]}]"#),
    Case(
      "a storage by itself", .storage("ByteStorage", 2), storages: [[1, 2]],
      #"["storage","tensor",["tuple","storage",["global","torch","ByteStorage"],"0","cpu",2]]"#),
    Case(
      "a parameter",
      .rebuilt(
        by: "_rebuild_parameter",
        [
          .rebuilt(by: "_rebuild_tensor", [.storage("ByteStorage", 1), 0, .ints([]), .ints([])]),
          true, .noHooks,
        ]), storages: [[1]],
      #"["call",["global",[0],"_rebuild_parameter"],["tuple",["tensor","tensor","#
        + #"["call",["global",[0],"_rebuild_tensor"],["tuple",["persistent","#
        + #"["tuple","storage",["global","torch","ByteStorage"],"0","cpu",1]],0,[1],[1]]]],true,"#
        + #"["call",\#(hooks),[1]]]]"#,
      nodes: #"["str","torch._utils"],["tuple"]"#),
  ]

  @Test(
    "The skeleton is the text that its specification gives",
    arguments: values + containers + objects + tensors)
  func text(_ test: Case) throws {
    let storages = test.storages.enumerated().map { #"["data/\#($0)",\#($1.count)],"# }
    let source =
      #""source":{"container":"torch-zip","prefix":"archive","protocol":2,"byteorder":"little","#
      + #""records":[["data.pkl"],[".format_version","MQ=="],[".storage_alignment","NjQ="],"#
      + #"["byteorder","bGl0dGxl"],\#(storages.joined())["version","Mwo="],"#
      + #"[".data/serialization_id","MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OQ=="]]}"#
    #expect(
      try skeleton(Encoded(test.object, storages: test.storages))
        == #"{"skeleton":2,"layout":"plain",\#(source),"root":\#(test.root),"#
        + #""nodes":[\#(test.nodes)],"forms":[\#(test.forms)]}"#)
  }

  @Test("Calls whose results are thrown away stand behind the object")
  func discarded() throws {
    let text = try skeleton(Encoded(Self.operations("cm\nC\n(K\u{7}tR0N")))
    #expect(
      text.hasSuffix(
        #""root":null,"discarded":[["call",["global","m","C"],["tuple",7]]],"nodes":[],"forms":[]}"#
      ))
  }

  @Test("Tied tensors have one name, which is written where it is not that of the path")
  func tied() throws {
    let whole = PickledValue.tensor(.storage("ByteStorage", 1), [])
    let text = try skeleton(Encoded(["b": whole, "a": whole], storages: [[1]]))
    #expect(text.contains(#""root":["dict","b",["tensor",0],"a",["tensor",1,"0","b"]]"#))
  }

  @Test("The layout is named, and the byte order of the source")
  func facts() throws {
    let text = try skeleton(
      Encoded(["a": 1], storages: [], bigEndian: true, .init(layout: .olmo)))
    #expect(text.hasPrefix(#"{"skeleton":2,"layout":"olmo","source":{"#))
    #expect(text.contains(#""byteorder":"big""#))
    #expect(text.contains(#"["dict","a",1]"#))
  }

  @Test("A pickle that CPython would spell otherwise goes along")
  func spelling() throws {
    // CPython numbers every str, and these pickles number nothing.
    let other: PickledValue = ["a": "b"]
    #expect(
      try text(Encoded(other)).contains(
        #","pickle":"\#(Base64.encode(other.pickle(), .standard))"}"#))
    #expect(try !text(Encoded(.none)).contains("pickle"))
  }

  /// The skeleton without the pickle that goes along with what these tests spell.
  private func skeleton(_ encoded: Encoded) throws -> String {
    let text = try text(encoded)
    guard let start = text.firstRange(of: #","pickle":""#),
      let end = text[start.upperBound...].firstIndex(of: "\"")
    else { return text }
    return String(text[..<start.lowerBound] + text[text.index(after: end)...])
  }

  private func text(_ encoded: Encoded) throws -> String {
    let metadata = try encoded.metadata()
    #expect(metadata.first?.key == "format")
    return try #require(metadata.first { $0.key == "ckptconv.skeleton" }).value
  }
}

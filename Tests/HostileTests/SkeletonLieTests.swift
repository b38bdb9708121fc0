import CkptBase
import CkptContainer
import CkptGraph
import CkptHostileSupport
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing
import CkptTorch

/// Skeletons that say of their file, or of themselves, what is not so.
@Suite("Skeletons that lie")
struct SkeletonLieTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var code: CheckpointError.Code?
    var records = #"["data/0",4],"#
    var nodes: String
    var entries = #""w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
    var testDescription: String { name }
  }

  /// The nodes from number `first` on, eleven of them: a tensor named `name` whose storage has `key`
  /// and `count` elements, and that has `hooks`.
  static func tensor(
    _ name: String = #""w""#, key: String = "0", count: Int = 1, hooks: String? = nil,
    firstNode first: Int = 1
  ) -> String {
    let node = (0..<11).map { "[\(first + $0)]" }
    return """
      ["tensor",\(name),["call",\(node[1]),\(node[2])]],["global","torch._utils","_rebuild_tensor_v2"],\
      ["tuple",\(node[3]),0,\(node[6]),\(node[7]),false,\(hooks ?? node[8])],["persistent",\(node[4])],\
      ["tuple","storage",\(node[5]),"\(key)","cpu",\(count)],["global","torch","FloatStorage"],\
      ["tuple",1],["tuple",1],["call",\(node[9]),\(node[10])],["global","collections","OrderedDict"],\
      ["tuple"]
      """
  }

  static let cases = [
    Case(name: "the truth", nodes: #"["dict","w",[1]],\#(tensor())"#),
    Case(
      name: "a node that is not there", code: .malformed,
      nodes: #"["dict","w",[99]],\#(tensor())"#),
    Case(name: "a node of an unknown kind", code: .malformed, nodes: #"["what"]"#),
    Case(
      name: "a call that is its own argument list", code: .malformed,
      nodes: #"["call",[1],[0]],["global","a","b"]"#),
    Case(
      name: "a call that is its own argument", code: .malformed,
      nodes: #"["call",[1],[2]],["global","a","b"],["tuple",[0]]"#),
    Case(
      name: "a tuple that holds itself through a tuple", code: .malformed,
      nodes: #"["tuple",[1]],["tuple",[0]]"#),
    Case(name: "a list that holds itself", nodes: #"["list",[0]]"#, entries: ""),
    Case(
      name: "a key that holds its dict", code: .malformed, nodes: #"["dict",[1],1],["tuple",[0]]"#),
    Case(
      name: "another type than the file has: the file wins",
      nodes: #"["dict","w",[1]],\#(tensor(#""v""#, key: "0"))"#,
      entries: #""v":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#),
    Case(
      name: "a storage that is not there", code: .malformed,
      nodes: #"["dict","w",[1]],\#(tensor(key: "7"))"#),
    Case(
      name: "a storage of another length", code: .malformed,
      nodes: #"["dict","w",[1]],\#(tensor(count: 2))"#),
    Case(
      name: "a storage twice", code: .malformed, records: #"["data/0",4],["data/0",4],"#,
      nodes: #"["dict","w",[1]],\#(tensor())"#),
    Case(
      name: "a record that leads out of the archive", code: .malformed,
      records: #"["data/0",4],["../x","AA=="],"#, nodes: #"["dict","w",[1]],\#(tensor())"#),
    Case(
      name: "a record that leads out of the archive behind an accent", code: .malformed,
      records: #"["data/0",4],["../\#u{301}x","AA=="],"#, nodes: #"["dict","w",[1]],\#(tensor())"#),
    Case(
      name: "records whose names Unicode calls equivalent",
      records: #"["\#u{e9}","AA=="],["e\#u{301}","AA=="],["data/0",4],"#,
      nodes: #"["dict","w",[1]],\#(tensor())"#),
    Case(
      name: "a second pickle", code: .malformed, records: #"["data/0",4],["x"],"#,
      nodes: #"["dict","w",[1]],\#(tensor())"#),
    Case(
      name: "another byte order in the archive", code: .malformed,
      records: #"["data/0",4],["byteorder","YmlnCg=="],"#,
      nodes: #"["dict","w",[1]],\#(tensor())"#),
    Case(
      name: "a tensor without its construction", code: .malformed,
      nodes: #"["dict","w",[1]],["tensor","w",["list"]]"#),
    Case(
      name: "a storage that is no tensor's", code: .malformed,
      nodes: #"["dict","w",[3]],\#(tensor())"#),
    Case(
      name: "a storage that is a tensor's and stands for itself",
      nodes: #"["dict","w",[1],"s",[4]],\#(tensor())"#),
    Case(
      name: "a tensor that is not in the file, in another's call", code: .unsupported,
      nodes: #"["dict","w",[1]],\#(tensor(hooks: "[12]")),\#(tensor(#""v""#, firstNode: 12))"#),
    Case(
      name: "a tensor that is not in the file, in another's call and in a dict", code: .unsupported,
      nodes:
        #"["dict","w",[1],"v",[12]],\#(tensor(hooks: "[12]")),\#(tensor(#""v""#, firstNode: 12))"#),
    Case(
      name: "a call that calls itself", code: .malformed,
      nodes: #"["dict","w",[1]],["tensor","w",["call",[1],[2]]],["tuple"],["call",[2],[2]]"#),
    Case(
      name: "a dangerous global", code: .forbidden,
      nodes: #"["call",[1],[2]],["global","os","system"],["tuple","id"]"#, entries: ""),
    Case(
      name: "a dangerous attribute of a harmless class", code: .forbidden,
      nodes: #"["call",[1],[2]],["global","builtins","getattr"],["tuple",[1],"__globals__"]"#,
      entries: ""),
    Case(
      name: "an object of a nested class",
      nodes:
        #"["new",[1],[2],{"state":null}],["call",[3],[4]],["tuple"],["global","builtins","getattr"],["tuple",[5],"Inner"],["global","m","Outer"]"#,
      entries: ""),
    Case(
      name: "a method of an object", code: .forbidden,
      nodes:
        #"["call",[1],[2]],["global","builtins","getattr"],["tuple",[3],"run"],["call",[4],[5]],["global","m","C"],["tuple"]"#,
      entries: ""),
    Case(
      name: "what a call returned is called", code: .forbidden,
      nodes: #"["call",[1],[3]],["call",[2],[3]],["global","m","f"],["tuple"]"#, entries: ""),
    Case(
      name: "bytes that are spelled as a tuple", code: .malformed,
      nodes: #"["list",[1],[2]],["bytes","Yg==",[2]],["tuple",1]"#, entries: ""),
    Case(
      name: "bytes that are spelled as other bytes", code: .malformed,
      nodes: #"["list",[1]],["bytes","Yg==","c"]"#, entries: ""),
    Case(
      name: "bytes that are spelled as they are",
      nodes: #"["list",[1],[2]],["bytes","Yg==",[2]],["str","b"]"#, entries: ""),
    Case(
      name: "a global whose module is no text", code: .malformed, nodes: #"["global",1,"x"]"#),
  ]

  @Test("They are refused, or are right after all", arguments: cases)
  func survives(_ test: Case) throws {
    let data: [UInt8] = test.entries.isEmpty ? [] : [0, 0, 128, 63]
    let file = OverflowTests.skeleton(
      records: test.records, nodes: test.nodes, entries: test.entries, data: data)
    let outcome = try HostileFile.check(file, layout: .plain)
    #expect(outcome == test.code.map { .refused($0) } ?? .survived)
  }

  @Test("A tied tensor lives on under its second name when its first is taken out of the file")
  func secondName() throws {
    let nodes = #"["dict","v",[1],"w",[1]],\#(Self.tensor(#""v""#))"#
    let file = OverflowTests.skeleton(
      records: #"["data/0",4],"#, nodes: nodes,
      entries: #""w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, data: [0, 0, 128, 63])
    let checkpoint = try SafetensorsReader.read(TemporaryFile.holding(file))
    #expect(checkpoint.graph.tensors.map { $0.packed != nil } == [true])
    #expect(try HostileFile.check(file, layout: .plain) == .survived)
  }

  @Test("A tensor may not be added where the object has another value")
  func takenPlace() throws {
    let file = OverflowTests.skeleton(
      records: "", nodes: #"["dict","w",5]"#,
      entries: #""w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, data: [0, 0, 128, 63])
    #expect(try HostileFile.check(file, layout: .plain) == .refused(.conflict))
  }

  @Test("A tensor that the pickle throws away does not keep the way back from being found")
  func thrownAway() throws {
    var pickle = PickleProgram()
    pickle.add(PickledValue.tensor(.storage("ByteStorage", 4), [4]).program)
    pickle.add("0}")
    let file = pickle.archive(storages: [[1, 2, 3, 4]])
    #expect(try HostileFile.check(file, layout: .plain) == .survived)
  }

  @Test("A storage from the memo stands for itself beside its tensor")
  func storageFromMemo() throws {
    var pickle = PickleProgram()
    pickle.global("torch._utils", "_rebuild_tensor_v2", 0)
    pickle.add("}(")
    pickle.text("s")
    pickle.add(PickledValue.storage("ByteStorage", 4).program)
    pickle.put(1)
    pickle.text("w")
    pickle.add("h\0(h\u{1}K\0K\u{4}")
    pickle.add([0x85])
    pickle.add("K\u{1}")
    pickle.add([0x85, 0x89])
    pickle.add("ccollections\nOrderedDict\n)RtRu")
    let file = pickle.archive(storages: [[1, 2, 3, 4]])
    #expect(try TorchReader.read(TemporaryFile.holding(file)).graph.tensors.count == 2)
    #expect(try HostileFile.check(file, layout: .plain) == .survived)
    #expect(try HostileFile.check(file, layout: .olmo) == .survived)
  }

  @Test("A storage in the place of a tensor's hooks is refused, for no name leads to it")
  func storageInCall() throws {
    let storage = PickledValue.storage("ByteStorage", 4)
    let tensor = PickledValue.rebuilt(
      by: "_rebuild_tensor_v2", [storage, 0, .ints([4]), .ints([1]), false, .tuple([storage])])
    let file = ZipBuilder.torch(pickle: tensor.pickle(), storages: [[1, 2, 3, 4]]).bytes()
    #expect(try HostileFile.check(file, layout: .plain) == .refused(.unsupported))
  }
}

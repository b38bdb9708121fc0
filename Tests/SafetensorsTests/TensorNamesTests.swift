import CkptContainer
import CkptSafetensors
import CkptTestSupport
import Testing

/// The names of tensors in layout `plain`.
struct TensorNamesTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var object: PickledValue
    /// In the order of the object.
    var names: [String]
    var warnings: [String] = []
  }

  /// A tensor of its own storage, of which there are eight.
  private static func tensor(_ key: Int) -> PickledValue {
    .tensor(.storage("ByteStorage", 1, key: .str("\(key)")), [1])
  }

  private static func module(_ state: PickledValue) -> PickledValue {
    .built(.new(.global("torch.nn.modules.linear", "Linear"), []), state: state)
  }

  static let cases = [
    Case(testDescription: "a tensor for root", object: tensor(0), names: ["tensor"]),
    Case(
      testDescription: "a dict", object: ["a.b": tensor(0), "": tensor(1)], names: ["a.b", ""]),
    Case(
      testDescription: "dicts in dicts", object: ["state": [0: ["exp_avg": tensor(0)]]],
      names: ["state.0.exp_avg"]),
    Case(
      testDescription: "lists and tuples", object: [[tensor(0)], .tuple([1, tensor(1)])],
      names: ["0.0", "1.1"]),
    Case(
      testDescription: "keys that are no strs",
      object: .dict([
        -1, tensor(0), .none, tensor(1), true, tensor(2), 0.5, tensor(3), .tuple([1, "x"]),
        tensor(4), .global("torch", "float32"), tensor(5),
      ]), names: ["-1", "None", "True", "0.5", "(1, 'x')", "torch.float32"]),
    Case(
      testDescription: "a pickled module without its bookkeeping",
      object: module([
        "_parameters": ["weight": tensor(0)], "_buffers": ["mean": tensor(1)],
        "_modules": ["fc": module(["_parameters": ["bias": tensor(2)]])],
      ]), names: ["weight", "mean", "fc.bias"]),
    Case(
      testDescription: "dict keys that are called like bookkeeping",
      object: ["_parameters": ["w": tensor(0)]], names: ["_parameters.w"]),
    Case(
      testDescription: "an attribute that is called like bookkeeping and is a tensor",
      object: module(["_buffers": tensor(0)]), names: ["_buffers"]),
    Case(
      testDescription: "an OrderedDict",
      object: .filled(
        .call(.global("collections", "OrderedDict"), []), pairs: ["w", tensor(0)]),
      names: ["w"]),
    Case(
      testDescription: "two paths of one name",
      object: .dict(["a.b", tensor(0), "a", ["b": tensor(1)], "a.b#2", tensor(2)]),
      names: ["a.b", "a.b#2", "a.b#2#2"],
      warnings: [
        "two values are named 'a.b', and 1 more share theirs; the later ones got a number"
      ]),
    Case(
      testDescription: "an int and a str that are written alike",
      object: .dict([1, tensor(0), "1", tensor(1)]), names: ["1", "1#2"],
      warnings: ["two values are named '1'; the later ones got a number"]),
    Case(
      testDescription: "the name that the header uses for something else",
      object: ["__metadata__": tensor(0)], names: ["__metadata__#2"],
      warnings: ["two values are named '__metadata__'; the later ones got a number"]),
    Case(
      testDescription: "names that Unicode calls equivalent",
      object: ["\u{e9}": tensor(0), "e\u{301}": tensor(1)], names: ["\u{e9}", "e\u{301}"]),
  ]

  @Test("A name is the path to the tensor", arguments: cases)
  func nameTensors(_ test: Case) throws {
    let encoded = try Encoded(test.object, storages: (0..<8).map { [$0] })
    // Storage n holds the byte n, so the data tells which tensor is which.
    let byName = zip(encoded.data, try encoded.names()).sorted { $0.0 < $1.0 }.map(\.1)
    #expect(byName.map { Array($0.utf8) } == test.names.map { Array($0.utf8) })
    #expect(encoded.encoding.tensorCount == test.names.count)
    let warnings = encoded.encoding.warnings.filter { !$0.contains("unused bytes") }
    // Every case has eight storages and uses some of them.
    #expect(warnings.filter { !$0.contains("not used by the pickle") } == test.warnings)
  }

  @Test("Inner tensors are named below their tensor")
  func parts() throws {
    let sparse = PickledValue.rebuilt(
      by: "_rebuild_sparse_tensor",
      [
        .call(.global("torch.serialization", "_get_layout"), ["torch.sparse_coo"]),
        .tuple([Self.tensor(0), Self.tensor(1), .ints([1]), true]),
      ])
    let encoded = try Encoded(["s": sparse], storages: [[0], [1]])
    #expect(try encoded.names() == ["s.indices", "s.values"])
  }
}

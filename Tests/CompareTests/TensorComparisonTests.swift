import CkptCompare
import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptTestSupport
import Testing

/// Tensors, and what they share.
struct TensorComparisonTests {
  private static let bytes = PickledValue.storage("ByteStorage", 16)
  private static let otherBytes = PickledValue.storage("ByteStorage", 16, key: "1")
  private static let floats = PickledValue.storage("FloatStorage", 4)
  private static let whole = PickledValue.tensor(bytes, [16])

  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var first: PickledValue
    var second: PickledValue
    /// The differences, one line each.
    var found: [String]
    /// The names of the tensors whose bytes are left to compare.
    var pairs: [String] = []
  }

  static let cases = [
    Case(
      testDescription: "storages of other keys", first: ["a": whole],
      second: ["a": .tensor(otherBytes, [16])], found: [], pairs: ["a"]),
    Case(
      testDescription: "element types", first: ["a": .tensor(floats, [4])],
      second: ["a": .tensor(.storage("IntStorage", 4), [4])],
      found: ["a: dtype: float32 / int32"]),
    Case(
      testDescription: "shapes", first: ["a": .tensor(bytes, [2, 8])],
      second: ["a": .tensor(bytes, [16])], found: ["a: shape: [2, 8] / [16]"]),
    Case(
      testDescription: "strides", first: ["a": .tensor(bytes, [2, 2])],
      second: ["a": .tensor(bytes, [2, 2], strides: [1, 2])],
      found: ["a: strides: [2, 1] / [1, 2]"], pairs: ["a"]),
    Case(
      testDescription: "offsets", first: ["a": .tensor(bytes, [2], offset: 1)],
      second: ["a": .tensor(bytes, [2], offset: 2)], found: ["a: offset: 1 / 2"], pairs: ["a"]),
    Case(
      testDescription: "gradients", first: ["a": .tensor(floats, [4])],
      second: ["a": .tensor(floats, [4], requiresGradient: true)],
      found: ["a: requires_grad: false / true"], pairs: ["a"]),
    Case(
      testDescription: "lazy signs", first: ["a": .tensor(floats, [4])],
      second: ["a": .tensor(floats, [4], flags: [["neg": true]])],
      found: ["a: sign: none / neg"], pairs: ["a"]),
    Case(
      testDescription: "devices", first: ["a": whole],
      second: ["a": .tensor(.storage("ByteStorage", 16, location: "cuda:0"), [16])],
      found: ["a: device: cpu / cuda:0"], pairs: ["a"]),
    Case(
      testDescription: "a tensor and a number", first: ["a": whole], second: ["a": 1],
      found: ["a: type: tensor(uint8, [16]) / int 1"]),
    Case(
      testDescription: "tensors without data", first: ["a": .tensor(bytes, [0])],
      second: ["a": .tensor(otherBytes, [0])], found: []),
    Case(
      testDescription: "a tensor on the meta device", first: ["a": .tensor(floats, [2])],
      second: [
        "a": .rebuilt(
          by: "_rebuild_meta_tensor_no_storage",
          [.global("torch", "float32"), .ints([2]), .ints([1]), false])
      ], found: ["a: bytes: data / no data"]),
    Case(
      testDescription: "a storage and a tensor of it", first: ["a": bytes], second: ["a": whole],
      found: ["a: type: a storage / a tensor"], pairs: ["a"]),
    Case(
      testDescription: "hooks", first: ["a": whole],
      second: [
        "a": .rebuilt(
          by: "_rebuild_tensor_v2",
          [bytes, 0, .ints([16]), .ints([1]), false, .filled(.noHooks, pairs: [1, "hook"])])
      ], found: ["a.args.5.1: extra: - / 'hook'"], pairs: ["a"]),
    Case(
      testDescription: "tied tensors that are no longer tied", first: ["a": whole, "b": whole],
      second: ["a": whole, "b": .tensor(otherBytes, [16])],
      found: ["b: sharing: the storage of 'a' / one of its own"], pairs: ["a", "b"]),
    Case(
      testDescription: "tensors that came to be tied",
      first: ["a": whole, "b": .tensor(otherBytes, [16])], second: ["a": whole, "b": whole],
      found: ["b: sharing: one of its own / the storage of 'a'"], pairs: ["a", "b"]),
    Case(
      testDescription: "many views of a storage that was torn apart",
      first: ["a": whole, "b": whole, "c": .tensor(bytes, [8])],
      second: [
        "a": whole, "b": .tensor(otherBytes, [16]), "c": .tensor(otherBytes, [8]),
      ], found: ["b: sharing: the storage of 'a' / one of its own"], pairs: ["a", "b", "c"]),
    Case(
      testDescription: "tied tensors have their bytes compared once",
      first: ["a": whole, "b": whole], second: ["a": whole, "b": whole], found: [],
      pairs: ["a"]),
    Case(
      testDescription: "one tensor object that became two of one storage",
      first: .dict(["a", .memoized(9, whole), "b", .memo(9)]), second: ["a": whole, "b": whole],
      found: [
        "b: sharing: the same object as 'a' / one of its own",
        "b.args.5: sharing: the same object as 'a.args.5' / one of its own",
      ], pairs: ["a"]),
    Case(
      testDescription: "the flag of a parameter is told once",
      first: ["p": .rebuilt(by: "_rebuild_parameter", [whole, true, .noHooks])],
      second: ["p": .rebuilt(by: "_rebuild_parameter", [whole, false, .noHooks])],
      found: ["p: requires_grad: true / false"], pairs: ["p"]),
    Case(
      testDescription: "parameters of one tensor with their flags exchanged",
      first: parameters(true, false), second: parameters(false, true),
      found: ["p: requires_grad: false / true", "p.args.1: value: True / False"], pairs: ["p"]),
    Case(
      testDescription: "a parameter and a tensor",
      first: ["p": .rebuilt(by: "_rebuild_parameter", [whole, true, .noHooks])],
      second: ["p": whole],
      found: [
        "p: type: _rebuild_parameter(tensor(uint8, [16]), True, OrderedDict()) / tensor(uint8, [16])"
      ]),
    Case(
      testDescription: "the attributes of a tensor", first: ["a": subclass(["x": 1])],
      second: ["a": subclass(["x": 2])], found: ["a.x: value: 1 / 2"], pairs: ["a"]),
    Case(
      testDescription: "a storage by itself beside its tensor",
      first: ["s": bytes, "a": whole], second: ["s": otherBytes, "a": whole],
      found: ["a: sharing: the storage of 's' / one of its own"], pairs: ["s", "a"]),
  ]

  /// Two parameters of one tensor object.
  private static func parameters(_ first: Bool, _ second: Bool) -> PickledValue {
    .dict([
      "p", .rebuilt(by: "_rebuild_parameter", [.memoized(9, whole), .bool(first), .noHooks]),
      "q", .rebuilt(by: "_rebuild_parameter", [.memo(9), .bool(second), .noHooks]),
    ])
  }

  private static func subclass(_ state: PickledValue) -> PickledValue {
    .call(
      .global("torch._tensor", "_rebuild_from_type_v2"),
      [
        .global("torch._utils", "_rebuild_tensor_v2"), .global("m", "T"),
        .tuple([bytes, 0, .ints([16]), .ints([1]), false, .noHooks]), state,
      ])
  }

  @Test("Tensors are compared by what they mean", arguments: cases)
  func tensors(_ test: Case) throws {
    let comparison = try Compared.objects(test.first, test.second)
    #expect(comparison.lines == test.found)
    #expect(comparison.tensorPairs.map(\.name) == test.pairs)
  }

  @Test("Parts of objects have the names that inspect prints")
  func names() throws {
    let module = PickledValue.built(
      .new(.global("m", "Module"), []),
      state: [
        "training": true, "_parameters": ["weight": .tensor(Self.floats, [4])],
        "_modules": [
          "inner": .built(
            .new(.global("m", "Module"), []), state: ["_buffers": ["b": .tensor(Self.bytes, [1])]])
        ],
      ])
    let sparse = PickledValue.rebuilt(
      by: "_rebuild_sparse_tensor",
      [
        .call(.global("torch.serialization", "_get_layout"), ["torch.sparse_coo"]),
        .tuple([
          .tensor(.storage("LongStorage", 2, key: "2"), [1, 2]), .tensor(Self.bytes, [2]), 4,
        ]),
      ])
    let object: PickledValue = ["m": module, "s": sparse, "l": [[.tensor(Self.bytes, [3])]]]
    let graph = try Compared.graph(object)
    let comparison = try GraphComparison(.init(graph, .objects), .init(graph, .objects))
    let leaves = try NamedLeaf.all(of: graph).filter {
      if case .tensor = graph[$0.node] { true } else { false }
    }
    #expect(
      leaves.map(\.name) == [
        "m.weight", "m.inner.b", "s.indices", "s.values", "l.0.0",
      ])
    #expect(comparison.tensorPairs.map(\.name) == leaves.map(\.name))
  }
}

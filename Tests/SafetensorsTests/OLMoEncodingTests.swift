import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// Files for OLMo's loader: names are pickled paths, other values are pickled beside tensors.
struct OLMoEncodingTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var object: PickledValue
    /// The object after decoding, with entries in the order of their encoded names.
    var value: String
    var warnings: [String] = []
  }

  private static let tensor = PickledValue.tensor(.storage("ByteStorage", 1), [1])

  private static func mixed(_ container: String) -> String {
    "'\(container)' holds tensors but is not a dict; OLMo's loader will return a dict"
  }

  private static let unused = "'archive/data/0' is not used by the pickle and is not saved"

  static let cases = [
    Case(
      testDescription: "values beside tensors",
      object: ["w": tensor, "lr": 0.5, "betas": .tuple([0.9, 0.5]), "none": .none],
      value: "{'w': T, 'lr': 0.5, 'none': None, 'betas': (0.9, 0.5)}"),
    Case(
      testDescription: "keys of every type",
      object: ["state": .dict([0, ["step": tensor], "0", ["step": tensor]])],
      value: "{'state': {0: {'step': T}, '0': {'step': T}}}"),
    Case(
      testDescription: "values in lists of dicts",
      object: ["param_groups": [["lr": 0.1, "params": [0, 1]]]],
      value: "{'param_groups': [{'lr': 0.1, 'params': [0, 1]}]}", warnings: [unused]),
    Case(
      testDescription: "an OrderedDict becomes a dict",
      object: .filled(.noHooks, pairs: ["w", tensor]), value: "{'w': T}"),
    Case(
      testDescription: "a list of tensors becomes a dict by index",
      object: ["l": [tensor, 5]], value: "{'l': {0: T, 1: 5}}", warnings: [mixed("l")]),
    Case(
      testDescription: "an object becomes a dict by attribute",
      object: ["o": .built(.new(.global("m", "C"), []), state: ["w": tensor, "n": 1])],
      value: "{'o': {'w': T, 'n': 1}}", warnings: [mixed("o")]),
    Case(
      testDescription: "the scales of a quantized tensor lie beside it",
      object: [
        "t": .rebuilt(
          by: "_rebuild_qtensor",
          [
            .storage("QInt8Storage", 1), 0, .ints([1]), .ints([1]),
            .tuple([.global("torch", "per_channel_affine"), tensor, tensor, 0]), false, .noHooks,
          ])
      ],
      value: "{'t': T, 't.scales': T, 't.zero_points': T}"),
    Case(
      testDescription: "a container is told of once",
      object: ["l": .tuple([tensor, tensor, tensor])], value: "{'l': {0: T, 1: T, 2: T}}",
      warnings: [mixed("l")]),
    Case(
      testDescription: "an empty dict has no entry", object: ["e": [:], "n": 1], value: "{'n': 1}",
      warnings: [unused]),
  ]

  @Test("OLMo's loader gets every value under its keys", arguments: cases)
  func content(_ test: Case) throws {
    let encoded = try Encoded(test.object, storages: [[7]], .init(layout: .olmo))
    #expect(encoded.encoding.warnings == test.warnings)
    let graph = try SafetensorsReader.read(
      TemporaryFile.holding(encoded.bytes), ReadingOptions(ignoresSkeleton: true)
    ).graph
    let text = graph.description(of: graph.root, limit: 1000)
      .replacing("tensor(uint8, [1])", with: "T")
    #expect(text == test.value)
  }

  @Test("The file is OLMo's, byte for byte")
  func bytes() throws {
    let encoded = try Encoded(
      ["a": Self.tensor, "n": .none], storages: [[7]],
      .init(layout: .olmo, includesSkeleton: false))
    let header =
      #"{"gASVCgAAAAAAAACMAW6UhZSIhpQu":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"#
      + #""gASVCgAAAAAAAACMAWGUhZSJhpQu":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}}"#
    let none: [UInt8] = [0x80, 4, 0x4e, 0x2e]
    #expect(encoded.header == header)
    #expect(encoded.data == none + [7])
  }
}

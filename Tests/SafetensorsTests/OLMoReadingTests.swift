import CkptBase
import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// Files in OLMo's layout, whose names and values are pickles.
struct OLMoReadingTests {
  /// A file whose entries are one after the other; values are bytes of type U8.
  private func file(_ entries: [(name: String, data: [UInt8])]) -> SafetensorsFile {
    var offset = 0
    var header: [String] = []
    for entry in entries {
      let end = offset + entry.data.count
      header.append(
        "\"\(entry.name)\":{\"dtype\":\"U8\",\"shape\":[\(entry.data.count)],"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    return SafetensorsFile(
      "{" + header.joined(separator: ",") + "}", data: entries.flatMap(\.data))
  }

  private func name(_ path: PickledValue, _ flag: Bool, protocol version: UInt8 = 4) -> String {
    urlSafeBase64(PickledValue.tuple([path, .bool(flag)]).pickle(protocol: version))
  }

  private func description(_ entries: [(name: String, data: [UInt8])]) throws -> String {
    let graph = try file(entries).read().graph
    return graph.description(of: graph.root, limit: 1000)
  }

  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var name: String
    var value: String
  }

  /// Results of OLMo's `encode_key` on Python 3.11.
  static let keyPaths = [
    Case(
      testDescription: "('a',)", name: "gASVCgAAAAAAAACMAWGUhZSJhpQu",
      value: "{'a': tensor(uint8, [1])}"),
    Case(
      testDescription: "('state', 0, 'exp_avg')",
      name: "gASVGgAAAAAAAACMBXN0YXRllEsAjAdleHBfYXZnlIeUiYaULg==",
      value: "{'state': {0: {'exp_avg': tensor(uint8, [1])}}}"),
    Case(
      testDescription: "('exp_avg', 'exp_avg') by one object",
      name: "gASVEgAAAAAAAACMB2V4cF9hdmeUaACGlImGlC4=",
      value: "{'exp_avg': {'exp_avg': tensor(uint8, [1])}}"),
    Case(
      testDescription: "()", name: "gASVBQAAAAAAAAApiYaULg==", value: "tensor(uint8, [1])"),
  ]

  @Test("OLMo's names are paths of keys", arguments: keyPaths)
  func decode(_ test: Case) throws {
    #expect(try description([(test.name, [7])]) == test.value)
    let container = try file([(test.name, [7])]).read().container
    let facts = try #require(container as? SafetensorsDescription)
    #expect(facts.layout == .olmo)
  }

  @Test("A name of any protocol that Python knows is read", arguments: [UInt8(2), 3, 4, 5])
  func protocols(_ version: UInt8) throws {
    let name = name(.tuple(["k"]), false, protocol: version)
    #expect(try description([(name, [7])]) == "{'k': tensor(uint8, [1])}")
  }

  @Test("A value under the flag is the object of its pickle")
  func values() throws {
    let value: PickledValue = [["lr": 0.5, "betas": .tuple([0.9, 0.5])], .none]
    #expect(
      try description([(name(.tuple(["groups"]), true), value.pickle(protocol: 4))])
        == "{'groups': [{'lr': 0.5, 'betas': (0.9, 0.5)}, None]}")
  }

  @Test("Keys keep their types, and dicts their entries together")
  func nesting() throws {
    let keys: [PickledValue] = [
      .tuple(["s", 0]), .tuple(["s", "0"]), .tuple(["s", .tuple([1, 2]), .none]),
      .tuple(["s", .tuple([1, 2]), "x"]),
    ]
    #expect(
      try description(keys.map { (name($0, false), [7]) })
        == "{'s': {0: tensor(uint8, [1]), '0': tensor(uint8, [1]), "
        + "(1, 2): {None: tensor(uint8, [1]), 'x': tensor(uint8, [1])}}}")
  }

  @Test("Keys that only look alike are different dicts")
  func lookalikes() throws {
    let long = String(repeating: "x", count: 2000)
    let keys: [PickledValue] = ["\u{e9}", "e\u{301}", .str(long + "1"), .str(long + "2")]
    let graph = try file(keys.map { (name(.tuple([$0, "w"]), false), [7]) }).read().graph
    #expect(graph.entries(of: graph.root)?.count == 4)
  }

  struct Refusal: CustomTestStringConvertible {
    var testDescription: String
    var name: String
    var data: [UInt8] = [7]
    var code: CheckpointError.Code
    var message: String
  }

  private static let good = "gASVCgAAAAAAAACMAWGUhZSJhpQu"
  private static let system = PickledValue.call(.global("posix", "system"), ["ls"])

  private static func olmoName(_ value: PickledValue) -> String {
    urlSafeBase64(value.pickle(protocol: 4))
  }

  static let refusals = [
    Refusal(
      testDescription: "a name that would run code",
      name: olmoName(.tuple([.tuple([system]), false])), code: .forbidden,
      message:
        "global 'posix.system' is not allowed: it is not known to be harmless and can run code"),
    Refusal(
      testDescription: "a value that would run code",
      name: olmoName(.tuple([.tuple(["v"]), true])), data: system.pickle(protocol: 4),
      code: .forbidden,
      message:
        "global 'posix.system' is not allowed: it is not known to be harmless and can run code"),
    Refusal(
      testDescription: "a tensor in a value, which only runs when its own pickle does",
      name: olmoName(.tuple([.tuple(["v"]), true])),
      data: PickledValue.list([
        .rebuilt(
          by: "_rebuild_tensor_v2",
          [
            .call(.global("torch.storage", "_load_from_bytes"), [.bytes([0x80, 2])]), 0, .ints([1]),
            .ints([1]), false, .noHooks,
          ])
      ]).pickle(protocol: 4), code: .forbidden,
      message:
        "global 'torch.storage._load_from_bytes' is not allowed: it is not known to be harmless and can run code"
    ),
    Refusal(
      testDescription: "a value that is not a pickle",
      name: olmoName(.tuple([.tuple(["v"]), true])), code: .malformed,
      message: "0x7 is not a pickle opcode"),
    Refusal(
      testDescription: "a value that ends early",
      name: olmoName(.tuple([.tuple(["v"]), true])),
      data: Array(PickledValue.int(5).pickle(protocol: 4).dropLast()), code: .truncated,
      message: "1 bytes are needed, but only 0 are left"),
    Refusal(
      testDescription: "a name that is not base64", name: "not base64", code: .malformed,
      message: "the name is not base64, but other names of this file are OLMo's"),
    Refusal(
      testDescription: "a name without a flag", name: olmoName(.tuple([.tuple(["a"])])),
      code: .malformed, message: "the name is not a pair of a tuple of keys and a flag"),
    Refusal(
      testDescription: "a flag that is an int", name: olmoName(.tuple([.tuple(["a"]), 1])),
      code: .malformed, message: "the name is not a pair of a tuple of keys and a flag"),
    Refusal(
      testDescription: "keys in a list", name: olmoName(.tuple([["a"], true])), code: .malformed,
      message: "the name is not a pair of a tuple of keys and a flag"),
  ]

  @Test("A name or value that OLMo did not write is refused and named", arguments: refusals)
  func refuse(_ test: Refusal) throws {
    let error = #expect(throws: CheckpointError.self) {
      try file([(Self.good, [1]), (test.name, test.data)]).read()
    }
    #expect(error?.code == test.code)
    #expect(error?.message == test.message)
    #expect(error?.path.last == "tensor '\(test.name)'")
  }

  @Test("The place of a fault in a pickled value is one in the file")
  func offset() throws {
    let broken = file([(name(.tuple(["v"]), true), [0x80, 4, 0xff])])
    let error = #expect(throws: CheckpointError.self) { try broken.read() }
    #expect(error?.offset == 8 + broken.header.count + 2)
  }

  @Test("What would run code can be left out of a value, with a warning")
  func dropping() throws {
    let checkpoint = try file([
      (name(.tuple(["v"]), true), PickledValue.list([Self.system, 1]).pickle(protocol: 4))
    ]).read(droppingUnsafe: true)
    #expect(checkpoint.graph.description(of: checkpoint.graph.root) == "{'v': [None, 1]}")
    #expect(
      checkpoint.warnings == [
        "global 'posix.system' can run code; it was replaced by None"
      ])
  }

  @Test("A pickled value must be bytes")
  func valueDType() throws {
    let name = name(.tuple(["v"]), true)
    let file = SafetensorsFile(
      "{\"\(name)\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
      data: [0x80, 4, 0x4e, 0x2e])
    let error = #expect(throws: CheckpointError.self) { try file.read() }
    #expect(error?.message == "a pickled value is F32 of 4 bytes")
  }

  @Test("Names that are base64 of anything else are plain names")
  func plainNames() throws {
    #expect(try description([("weight", [1]), ("gARL", [2])]).hasPrefix("{'weight'"))
  }
}

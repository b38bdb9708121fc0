import CkptBase
import CkptContainer
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// Values that a safetensors file without a skeleton cannot keep.
struct LossTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var object: PickledValue
    var losses: [String]
    var layout = Layout.plain
  }

  private static let tensor = PickledValue.tensor(.storage("ByteStorage", 1), [1])
  private static let meta = PickledValue.rebuilt(
    by: "_rebuild_meta_tensor_no_storage",
    [.global("torch", "float32"), .ints([2]), .ints([1]), false])

  static let cases = [
    Case(
      testDescription: "a number", object: ["w": tensor, "step": 5],
      losses: ["'step' is 5, not a tensor"]),
    Case(
      testDescription: "a root that is no tensor", object: "text",
      losses: ["'tensor' is 'text', not a tensor"]),
    Case(
      testDescription: "values of many kinds",
      object: ["a": .none, "b": [1, 2], "c": .bytes([1]), "w": tensor],
      losses: [
        "'a' is None, not a tensor", "'b' is [1, 2], not a tensor", "'c' is b'\\x01', not a tensor",
      ]),
    Case(
      testDescription: "a meta tensor", object: ["m": meta],
      losses: ["tensor 'm' is on the meta device and has no data"]),
    Case(
      testDescription: "a dtype",
      object: ["c": .tensor(.storage("UntypedStorage", 1), [1], dtype: "bits8")],
      losses: ["tensor 'c' has dtype bits8, which safetensors lacks"]),
    Case(
      testDescription: "two values of one name", object: .dict(["1", tensor, 1, tensor]),
      losses: ["two values are named '1'"]),
    Case(
      testDescription: "a list that holds itself",
      object: ["l": .operations(Array("]q\u{7}h\u{7}a".utf8)), "w": tensor],
      losses: ["'l' is [[[[[[[[...]]]]]]]], not a tensor"]),
    Case(
      testDescription: "a list that holds itself and a tensor",
      object: ["l": .operations(Array("]q\u{7}(h\u{7}".utf8) + tensor.program + Array("e".utf8))],
      losses: ["'l.0' is a container that contains itself"]),
    Case(
      testDescription: "a list of tensors for OLMo", object: ["l": [tensor, tensor]],
      losses: [
        "'l' holds tensors but is not a dict; OLMo's loader will return a dict"
      ], layout: .olmo),
  ]

  @Test("What would be lost without skeleton is an error, or a warning if wanted", arguments: cases)
  func loss(_ test: Case) throws {
    var options = SafetensorsOptions(layout: test.layout, includesSkeleton: false)
    let error = #expect(throws: CheckpointError.self) {
      try Encoded(test.object, storages: [[7]], options)
    }
    let others = test.losses.count > 1 ? " (and \(test.losses.count - 1) more)" : ""
    #expect(error?.code == .lossy)
    #expect(
      error?.message
        == "\(test.losses[0])\(others): a safetensors file without skeleton cannot hold it")
    #expect(error?.remedy == .action(.allowLoss))
    options.allowsLoss = true
    let encoded = try Encoded(test.object, storages: [[7]], options)
    let lost = encoded.encoding.warnings.filter { $0.hasPrefix("lost") }
    #expect(lost == test.losses.map { "lost: \($0)" })
  }

  @Test("A tensor that is called lost is not in the file, and neither are its names")
  func leftOut() throws {
    let packed = PickledValue.tensor(.storage("UntypedStorage", 1, key: "1"), [1], dtype: "bits8")
    let encoded = try Encoded(
      ["w": Self.tensor, "c": packed, "d": packed], storages: [[7], [8]],
      .init(includesSkeleton: false, allowsLoss: true))
    #expect(try encoded.names() == ["w"])
    #expect(encoded.data == [7])
    #expect(encoded.encoding.tensorCount == 1)
    #expect(encoded.encoding.aliasCount == 0)
  }

  @Test("With the skeleton all of them are carried", arguments: cases)
  func carried(_ test: Case) throws {
    let encoded = try Encoded(test.object, storages: [[7]], .init(layout: test.layout))
    #expect(!encoded.encoding.warnings.contains { $0.hasPrefix("lost") })
  }

  @Test("An empty dict is told of, and no error, as for OLMo's own converter")
  func emptyDict() throws {
    let warnings = try Encoded(
      ["e": [:], "w": Self.tensor], storages: [[7]], .init(layout: .olmo, includesSkeleton: false)
    ).encoding.warnings
    #expect(warnings == ["'e' is an empty dict, which only a skeleton can hold"])
    #expect(try Encoded(["e": [:]]).encoding.warnings == [])
  }

  @Test("Bytes of a storage that no tensor reaches are told of")
  func unreached() throws {
    let object = PickledValue.tensor(.storage("FloatStorage", 4), [2], strides: [2])
    let storage = [UInt8](repeating: 0, count: 16)
    #expect(
      try Encoded(object, storages: [storage]).encoding.warnings == [
        "storage '0' has 8 unused bytes; they are not saved"
      ])
    #expect(try Encoded(object, storages: [storage], .bare).encoding.warnings == [])
  }
}

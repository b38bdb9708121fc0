import CkptContainer
import CkptGraph
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// Tensors that show the same bytes.
struct TiedTensorsTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var object: PickledValue
    /// The names that have bytes, in order.
    var names: [String]
    /// The other names, with the one that has their bytes.
    var aliases: [String]
  }

  private static let storage = PickledValue.storage("ByteStorage", 4)
  private static let whole = PickledValue.tensor(storage, [4])

  static let cases = [
    Case(
      testDescription: "the first name in file order keeps them",
      object: ["b": whole, "a": whole], names: ["b"], aliases: ["a=b"]),
    Case(
      testDescription: "three names", object: ["c": whole, "a": whole, "b": whole], names: ["c"],
      aliases: ["a=c", "b=c"]),
    Case(
      testDescription: "the input embedding, wherever it stands",
      object: ["lm_head.weight": whole, "model.embed_tokens.weight": whole],
      names: ["model.embed_tokens.weight"], aliases: ["lm_head.weight=model.embed_tokens.weight"]),
    Case(
      testDescription: "the embedding that encoder and decoder share",
      object: [
        "decoder.embed_tokens.weight": whole, "encoder.embed_tokens.weight": whole,
        "lm_head.weight": whole, "shared.weight": whole,
      ], names: ["shared.weight"],
      aliases: [
        "decoder.embed_tokens.weight=shared.weight", "encoder.embed_tokens.weight=shared.weight",
        "lm_head.weight=shared.weight",
      ]),
    Case(
      testDescription: "one object under two names",
      object: .dict(["x", .memoized(9, whole), "y", .memo(9)]), names: ["x"], aliases: ["y=x"]),
    Case(
      testDescription: "names that Unicode calls equivalent",
      object: ["e\u{301}": whole, "\u{e9}": whole], names: ["e\u{301}"],
      aliases: ["\u{e9}=e\u{301}"]),
    Case(
      testDescription: "another shape",
      object: ["a": whole, "b": .tensor(storage, [2, 2])], names: ["a", "b"], aliases: []),
    Case(
      testDescription: "another offset",
      object: ["a": .tensor(storage, [2]), "b": .tensor(storage, [2], offset: 2)],
      names: ["a", "b"], aliases: []),
    Case(
      testDescription: "other strides",
      object: [
        "a": .tensor(storage, [2, 2]), "b": .tensor(storage, [2, 2], strides: [1, 2]),
      ], names: ["a", "b"], aliases: []),
    Case(
      testDescription: "another dtype",
      object: ["a": whole, "b": .tensor(.storage("UntypedStorage", 4), [4], dtype: "bits8")],
      names: ["a", "b"], aliases: []),
    Case(
      testDescription: "the same bytes with another sign",
      object: ["a": whole, "b": .tensor(storage, [4], flags: [["neg": true]])],
      names: ["a", "b"], aliases: []),
    Case(
      testDescription: "tensors without elements",
      object: ["a": .tensor(storage, [0]), "b": .tensor(storage, [0])], names: ["a", "b"],
      aliases: []),
    Case(
      testDescription: "a parameter and its tensor",
      object: [
        "p": .rebuilt(by: "_rebuild_parameter", [whole, true, .noHooks]), "t": whole,
      ], names: ["p"], aliases: ["t=p"]),
  ]

  @Test("Tied tensors are stored once, unless they are to be copied", arguments: cases)
  func alias(_ test: Case) throws {
    let encoded = try Encoded(test.object, storages: [[1, 2, 3, 4]])
    #expect(try encoded.names().map { Array($0.utf8) } == test.names.map { Array($0.utf8) })
    let aliases = try encoded.metadata().dropFirst(2).map { "\($0.key)=\($0.value)" }
    #expect(aliases.map { Array($0.utf8) } == test.aliases.map { Array($0.utf8) })
    #expect(encoded.encoding.aliasCount == test.aliases.count)

    let copied = try Encoded(test.object, storages: [[1, 2, 3, 4]], .init(tied: .copy))
    #expect(try copied.names().count == test.names.count + test.aliases.count)
    #expect(try copied.metadata().map(\.key) == ["format", "ckptconv.skeleton"])
    #expect(copied.encoding.aliasCount == 0)
  }

  @Test("Without skeleton the metadata has the format and the aliases, as save_model writes them")
  func bareMetadata() throws {
    let encoded = try Encoded(["b": Self.whole, "a": Self.whole], storages: [[1, 2, 3, 4]], .bare)
    #expect(
      encoded.header
        == #"{"__metadata__":{"format":"pt","a":"b"},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#
    )
  }

  @Test("Names that the metadata maps to an entry are read as its tensor, and written as they were")
  func announced() throws {
    let entry = #""z":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#
    let header = #"{"__metadata__":{"note":"none","lm_head.weight":"z"},\#(entry)}"#
    let file = SafetensorsFile(header, data: [1, 2, 3, 4]).bytes
    let checkpoint = try SafetensorsReader.read(TemporaryFile.holding(file))
    let graph = checkpoint.graph
    #expect(
      graph.description(of: graph.root)
        == "{'z': tensor(uint8, [4]), 'lm_head.weight': tensor(uint8, [4])}")
    #expect(Set(graph.tensors.map(\.storage)).count == 1)
  }

  @Test("A name that is a key of the metadata already has no entry there")
  func takenKey() throws {
    let encoded = try Encoded(["a": Self.whole, "format": Self.whole], storages: [[1, 2, 3, 4]])
    #expect(try encoded.names() == ["a"])
    #expect(try encoded.metadata().map(\.key) == ["format", "ckptconv.skeleton"])
    #expect(try encoded.metadata().first?.value == "pt")
  }

  @Test("OLMo's loader knows no ties, so its layout copies them")
  func olmo() throws {
    let encoded = try Encoded(
      ["b": Self.whole, "a": Self.whole], storages: [[1, 2, 3, 4]], .init(layout: .olmo))
    #expect(try encoded.names().count == 2)
    #expect(encoded.data == [1, 2, 3, 4, 1, 2, 3, 4])
  }
}

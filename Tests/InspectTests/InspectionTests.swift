import CkptBase
import CkptInspect
import CkptTestSupport
import Testing

@Suite("An inspection lists tensors and values as they are")
struct InspectionTests {
  private static let storage = PickledValue.storage("FloatStorage", 12)

  /// Inspects a file with one storage of twelve numbers.
  private static func inspect(_ object: PickledValue) throws -> Inspection {
    let directory = try TemporaryDirectory()
    let bytes = [UInt8](repeating: 0, count: 48)
    try directory.write(
      ZipBuilder.torch(pickle: object.pickle(), storages: [bytes]).bytes(), to: "a.pt")
    return try Inspection(of: directory / "a.pt")
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let tensor: PickledValue
    let shape: [Int]
    var strides: [Int]?
    var offset = 0
    let byteCount: Int
    var requiresGradient = false
  }

  static let rows = [
    Row(
      testDescription: "packed", tensor: .tensor(storage, [3, 4]), shape: [3, 4], byteCount: 48),
    Row(
      testDescription: "transposed", tensor: .tensor(storage, [4, 3], strides: [1, 4]),
      shape: [4, 3], strides: [1, 4], byteCount: 48),
    Row(
      testDescription: "expanded", tensor: .tensor(storage, [5, 4], strides: [0, 1]),
      shape: [5, 4], strides: [0, 1], byteCount: 80),
    Row(
      testDescription: "a part", tensor: .tensor(storage, [2], offset: 3), shape: [2], offset: 3,
      byteCount: 8),
    Row(testDescription: "a number", tensor: .tensor(storage, []), shape: [], byteCount: 4),
    Row(
      testDescription: "trained", tensor: .tensor(storage, [2], requiresGradient: true),
      shape: [2], byteCount: 8, requiresGradient: true),
  ]

  @Test("A tensor has its name, type, shape, strides and storage", arguments: rows)
  func tensors(_ test: Row) throws {
    let inspection = try Self.inspect(["a": ["b": test.tensor]])
    let row = try #require(inspection.tensors.first)
    #expect(inspection.tensors.count == 1)
    #expect(row.name == "a.b")
    #expect(row.dtype == "float32")
    #expect(row.shape == test.shape)
    #expect(row.strides == test.strides)
    #expect(row.byteCount == test.byteCount)
    #expect(row.requiresGradient == test.requiresGradient)
    #expect((row.storage, row.storageUses, row.storageByteCount) == ("0", 1, 48))
    #expect((inspection.storageCount, inspection.storageByteCount) == (1, 48))
    let place = try #require(row.place)
    #expect(place.file == inspection.path)
    #expect((place.bytes.count, place.isDeflated, place.isBigEndian) == (48, false, false))
    #expect((place.offset, place.strides) == (test.offset, test.strides))
  }

  struct Value: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let value: PickledValue
    var json: String?
  }

  static let values = [
    Value(testDescription: "None", value: .none, json: "null"),
    Value(testDescription: "a float", value: 0.5, json: "0.5"),
    Value(testDescription: "a string", value: "a\"b", json: #""a\"b""#),
    Value(
      testDescription: "a list of dicts", value: [["lr": 0.1, "params": [0, 1]], []],
      json: #"[{"lr":0.1,"params":[0,1]},[]]"#),
    Value(testDescription: "infinity", value: .float(.infinity)),
    Value(testDescription: "an infinity in a list", value: [.float(.infinity)]),
    Value(testDescription: "bytes", value: .bytes([1])),
    Value(
      testDescription: "a class that nobody knows",
      value: .call(.global("experiment", "Thing"), [])),
    Value(testDescription: "64 lists in each other", value: nested(64), json: nestedJSON(64)),
    Value(testDescription: "65 lists in each other", value: nested(65)),
  ]

  private static func nested(_ depth: Int) -> PickledValue {
    (0..<depth).reduce(PickledValue.none) { value, _ in [value] }
  }

  private static func nestedJSON(_ depth: Int) -> String {
    String(repeating: "[", count: depth) + "null" + String(repeating: "]", count: depth)
  }

  @Test("A value is told as JSON where JSON has its like", arguments: values)
  func valueJSON(_ test: Value) throws {
    let inspection = try Self.inspect(["a": test.value])
    #expect(inspection.values.first?.json == test.json)
  }

  @Test("Tensors that share a storage say so, and values are told beside them")
  func sharing() throws {
    let inspection = try Self.inspect([
      "first": .tensor(Self.storage, [4]), "second": .tensor(Self.storage, [4], offset: 4),
      "lr": 0.5, "names": ["a", "b"], "nothing": .none,
      "other": .call(.global("experiment", "Thing"), []),
    ])
    #expect(Set(inspection.tensors.map(\.storageUses)) == [2])
    let values = Dictionary(uniqueKeysWithValues: inspection.values.map { ($0.name, $0.text) })
    #expect(values["lr"] == "0.5")
    #expect(values["names"] == "['a', 'b']")
    #expect(values["nothing"] == "None")
    #expect(inspection.opaqueGlobals == ["experiment.Thing"])
  }

  struct Folder: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let files: [String]
    let found: [String]?
  }

  static let folders = [
    Folder(
      testDescription: "a checkpoint of OLMo", files: ["config.yaml", "optim.pt", "model.pt"],
      found: ["model.pt", "optim.pt"]),
    Folder(
      testDescription: "both formats, in the trainer's order",
      files: ["model.pt", "model.safetensors", "train.pt"],
      found: ["model.safetensors", "model.pt", "train.pt"]),
    Folder(
      testDescription: "a Hugging Face folder", files: ["config.json", "pytorch_model.bin"],
      found: ["pytorch_model.bin"]),
    Folder(
      testDescription: "an index stands for its shards",
      files: ["model.safetensors.index.json", "model-00001-of-00001.safetensors"],
      found: ["model.safetensors.index.json"]),
    Folder(testDescription: "neither", files: ["notes.txt"], found: nil),
  ]

  @Test("A directory stands for its checkpoint files", arguments: folders)
  func files(_ test: Folder) throws {
    let directory = try TemporaryDirectory()
    for name in test.files { try directory.write([0], to: name) }
    guard let found = test.found else {
      let error = #expect(throws: CheckpointError.self) {
        try Inspection.files(of: directory.path)
      }
      #expect(error?.code == .unsupported)
      return
    }
    #expect(try Inspection.files(of: directory.path) == found.map { directory / $0 })
    #expect(try Inspection.files(of: directory / "x.pt") == [directory / "x.pt"])
  }
}

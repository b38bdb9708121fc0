import CkptBase
import CkptCompare
import CkptCopy
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

@Suite("Manifests tell later what a checkpoint was")
struct ManifestTests {
  private static func tensor(_ type: String = "ByteStorage", key: Int = 0) -> PickledValue {
    .tensor(.storage(type, 4, key: .str("\(key)")), [4])
  }

  private static let object: PickledValue = [
    "w": tensor(), "v": tensor(key: 1), "lr": 0.5, "names": ["a", .none],
  ]
  private static let storages: [[UInt8]] = [[1, 2, 3, 4], [5, 6, 7, 8]]

  private static func make(
    _ folder: CheckpointFolder, of path: String, replacing: Bool = false, threads: Int? = nil
  ) throws -> ManifestMaker.Report {
    try ManifestMaker(
      budget: CopyBudget(threads: threads), writing: .init(replacesExisting: replacing)
    )
    .write(of: path, to: folder.directory / "made.json") { _, _ in }
  }

  /// The result of comparing the only file at `path` with the manifest of the folder.
  private static func compare(_ folder: CheckpointFolder, _ path: String) throws -> VerifyFinding {
    let pairing = try ManifestPairing(of: path, against: folder.directory / "made.json")
    #expect(pairing.differences.isEmpty)
    return try VerifyFinding(of: pairing.pairs[0])
  }

  // MARK: Making

  @Test("A manifest has one line for each tensor and value")
  func text() throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch("model.pt", ["w": Self.tensor(), "lr": 0.5], [[1, 2, 3, 4]])
    let report = try Self.make(folder, of: path)
    #expect(report.entryCount == 2 && report.files == ["model"] && report.warnings == [])
    let made = try #require(folder.directory.bytes(of: "made.json"))
    let lines = String(decoding: made, as: UTF8.self).split(separator: "\n").map(String.init)
    let digest = SHA256.digest(of: ([1, 2, 3, 4] as [UInt8]).span.bytes)
    let bits = [UInt8(ascii: "D")] + littleEndian((0.5).bitPattern)
    #expect(lines.count == 6)
    #expect(lines[0] == #"{"ckptconv_manifest":1,"files":["#)
    #expect(lines[1].hasPrefix(#"{"name":"model","structure":""#))
    #expect(
      lines[2] == #"{"name":"w","dtype":"uint8","shape":[4],"bytes":4,"sha256":"\#(digest)"},"#)
    #expect(
      lines[3]
        == #"{"name":"lr","value":"0.5","sha256":"\#(SHA256.digest(of: bits.span.bytes))"}"#)
  }

  @Test("A checkpoint has one manifest in every format with its structure", arguments: [1, 3])
  func formats(threads: Int) throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch("model.pt", Self.object, Self.storages)
    _ = try Self.make(folder, of: path, threads: threads)
    let made = folder.directory.bytes(of: "made.json")
    let others = try [
      folder.safetensors("model.safetensors", from: path, .init(layout: .plain)),
      folder.safetensors("model.olmo.safetensors", from: path, .init(layout: .olmo)),
    ]
    for other in others {
      #expect(try Self.compare(folder, other).isSame)
      _ = try Self.make(folder, of: other, replacing: true)
      #expect(folder.directory.bytes(of: "made.json") == made)
    }
  }

  @Test("A manifest does not take the place of a file, least of all of the checkpoint's")
  func places() throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch("model.pt", Self.object, Self.storages)
    _ = try Self.make(folder, of: path)
    let error = #expect(throws: CheckpointError.self) { try Self.make(folder, of: path) }
    #expect(error?.code == .inputOutput)
    let own = #expect(throws: CheckpointError.self) {
      try ManifestMaker(writing: .init(replacesExisting: true)).write(of: path, to: path) { _, _ in
      }
    }
    #expect(own?.code == .unsupported)
    #expect(try Self.compare(folder, path).isSame)
  }

  // MARK: Disagreements

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let object: PickledValue
    var storages = ManifestTests.storages
    var found: [String] = []
  }

  static let cases = [
    Case(testDescription: "the same", object: object),
    Case(
      testDescription: "a tensor that is missing",
      object: ["v": tensor(key: 1), "lr": 0.5, "names": ["a", .none]],
      found: ["w: missing: tensor(uint8, [4]) / -"]),
    Case(
      testDescription: "a tensor more",
      object: [
        "w": tensor(), "v": tensor(key: 1), "lr": 0.5, "names": ["a", .none], "x": tensor(),
      ], found: ["x: extra: - / tensor(uint8, [4])"]),
    Case(
      testDescription: "another type",
      object: ["w": tensor("CharStorage"), "v": tensor(key: 1), "lr": 0.5, "names": ["a", .none]],
      found: ["w: dtype: uint8 / int8"]),
    Case(
      testDescription: "another shape",
      object: [
        "w": .tensor(.storage("ByteStorage", 4), [2, 2]), "v": tensor(key: 1), "lr": 0.5,
        "names": ["a", .none],
      ], found: ["w: shape: [4] / [2, 2]"]),
    Case(
      testDescription: "another value",
      object: ["w": tensor(), "v": tensor(key: 1), "lr": -0.5, "names": ["b", .none]],
      found: ["lr: value: 0.5 / -0.5", "names: value: ['a', None] / ['b', None]"]),
    Case(
      testDescription: "a value in the place of a tensor",
      object: ["w": 1, "v": tensor(key: 1), "lr": 0.5, "names": ["a", .none]],
      found: ["w: type: tensor(uint8, [4]) / 1"]),
    Case(
      testDescription: "a tensor in the place of a value",
      object: ["w": tensor(), "v": tensor(key: 1), "lr": tensor(), "names": ["a", .none]],
      found: ["lr: type: 0.5 / tensor(uint8, [4])"]),
    Case(
      testDescription: "another order",
      object: ["v": tensor(key: 1), "w": tensor(), "lr": 0.5, "names": ["a", .none]],
      found: ["w: order: at place 0 / at place 1"]),
    Case(
      testDescription: "another container",
      object: [
        "w": tensor(), "v": tensor(key: 1), "lr": 0.5, "names": .tuple(["a", .none]),
      ], found: ["names: value: ['a', None] / ('a', None)"]),
    Case(
      testDescription: "a gradient",
      object: [
        "w": .tensor(.storage("ByteStorage", 4), [4], requiresGradient: true),
        "v": tensor(key: 1), "lr": 0.5, "names": ["a", .none],
      ], found: ["structure"]),
    Case(
      testDescription: "bytes", object: object, storages: [[1, 2, 3, 5], [5, 6, 7, 8]],
      found: [
        "w: bytes: sha256 9f64a747e1b97f13... / sha256 "
          + "\(SHA256.digest(of: ([1, 2, 3, 5] as [UInt8]).span.bytes).description.prefix(16))..."
      ]),
  ]

  @Test("Each kind of disagreement is named", arguments: cases)
  func disagreements(_ test: Case) throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch("model.pt", Self.object, Self.storages)
    _ = try Self.make(folder, of: path)
    let finding = try Self.compare(
      folder, folder.torch("other.pt", test.object, test.storages))
    // The digest of the whole object is not told apart here from any other.
    let lines = finding.differences.map { $0.place == "structure" ? $0.place : $0.line }
    #expect(lines == test.found)
    #expect(finding.scope == .objects)
    #expect(finding.tensorCount == 2 && finding.valueCount == 2)
  }

  @Test("A file without structure is compared by names, and says what was not compared")
  func names() throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch(
      "model.pt", ["w": Self.tensor(), "v": Self.tensor(key: 1)], Self.storages)
    _ = try Self.make(folder, of: path)
    let plain = try folder.safetensors(
      "model.safetensors", from: path, .init(includesSkeleton: false))
    let finding = try Self.compare(folder, plain)
    #expect(finding.isSame && finding.scope == .names)
    #expect(finding.notCompared.count == 2)
    #expect(finding.byteCount == 8)
  }

  @Test("The parts of a directory are looked for by name, and other files by their bytes")
  func directories() throws {
    let (folder, other) = (try CheckpointFolder(), try CheckpointFolder())
    for folder in [folder, other] {
      _ = try folder.torch("model.pt", Self.object, Self.storages)
      try folder.directory.write(Array("a: 1\n".utf8), to: "config.yaml")
    }
    _ = try folder.torch("optim.pt", Self.object, Self.storages)
    _ = try other.torch("train.pt", Self.object, Self.storages)
    try other.directory.write(Array("note".utf8), to: "notes.txt")
    let manifest = try TemporaryDirectory()
    let report = try ManifestMaker().write(
      of: folder.directory.path, to: manifest / "made.json"
    ) { _, _ in }
    #expect(report.files == ["model", "optim", "config.yaml"])
    func findings() throws -> [VerifyFinding] {
      try ManifestPairing(of: other.directory.path, against: manifest / "made.json").pairs.map {
        try VerifyFinding(of: $0)
      }
    }
    let pairing = try ManifestPairing(of: other.directory.path, against: manifest / "made.json")
    #expect(
      pairing.differences.map(\.line) == [
        "optim: missing: optim / -", "train: extra: - / train.pt",
      ])
    #expect(pairing.notCompared == ["'\(other.directory / "notes.txt")'"])
    #expect(try findings().map(\.isSame) == [true, true])
    try other.directory.write(Array("a: 2\n".utf8), to: "config.yaml")
    #expect(try findings().last?.differences.map(\.kind) == [.bytes])
    try other.directory.write(Array("a:\n".utf8), to: "config.yaml")
    #expect(
      try findings().last?.differences.map(\.line) == ["config.yaml: length: 5 bytes / 3 bytes"])
    #expect(throws: CheckpointError.self) {
      try ManifestPairing(of: folder.directory / "none.pt", against: manifest / "made.json")
    }
  }

  // MARK: Hostile manifests

  struct Lie: Sendable, CustomTestStringConvertible {
    var testDescription: String { text }
    let text: String
    var code = CheckpointError.Code.malformed
    let message: String

    init(_ text: String, code: CheckpointError.Code = .malformed, _ message: String) {
      self.text = text
      self.code = code
      self.message = message
    }

    /// A manifest with one file that has this entry.
    static func entry(_ text: String, _ message: String) -> Lie {
      Lie(
        #"{"ckptconv_manifest":1,"files":[{"name":"model","entries":["# + text + "]}]}", message)
    }
  }

  private static let digest = String(repeating: "0", count: 64)

  static let lies = [
    Lie("{}", "this is not a manifest: it has no 'ckptconv_manifest'"),
    Lie(
      #"{"ckptconv_manifest":2,"files":[]}"#, code: .unsupported,
      "this manifest has version 2; the only known one is 1"),
    Lie(
      #"{"ckptconv_manifest":18446744073709551615}"#, code: .unsupported,
      "this manifest has version 18446744073709551615; the only known one is 1"),
    Lie(
      #"{"ckptconv_manifest":1,"files":[{}]}"#,
      "a file needs a name, and entries or bytes and sha256"),
    Lie(
      #"{"ckptconv_manifest":1,"files":[{"name":"a","bytes":3,"sha256":null}]}"#,
      "a file needs a name, and entries or bytes and sha256"),
    Lie(
      #"{"ckptconv_manifest":1,"files":[{"name":"a","bytes":3,"sha256":"00"}]}"#,
      "a SHA-256 must have 64 lower-case hexadecimal digits, found '00'"),
    Lie(
      #"{"ckptconv_manifest":1,"files":[{"name":"a","bytes":3,"sha256":"\#(digest.dropLast())G"}]}"#,
      "a SHA-256 must have 64 lower-case hexadecimal digits, found '\(digest.dropLast())G'"),
    .entry("{}", "an entry needs a name, and a dtype or a value"),
    .entry(#"{"name":"w"}"#, "an entry needs a name, and a dtype or a value"),
    .entry(
      #"{"name":"w","dtype":"uint8","value":"1"}"#,
      "an entry needs a name, and a dtype or a value"),
    .entry(#"{"dtype":"uint8"}"#, "an entry needs a name, and a dtype or a value"),
  ]

  @Test("What is no manifest is refused with its reason", arguments: lies)
  func refused(_ lie: Lie) throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch("model.pt", Self.object, Self.storages)
    try folder.directory.write(Array(lie.text.utf8), to: "made.json")
    let error = #expect(throws: CheckpointError.self) {
      try ManifestPairing(of: path, against: folder.directory / "made.json")
    }
    #expect(error?.code == lie.code)
    #expect(error?.message == lie.message)
    #expect(error?.path == [folder.directory / "made.json"])
  }

  @Test(
    "Numbers and nesting without end are refused",
    arguments: [
      #"{"ckptconv_manifest":1,"files":[{"name":"a","bytes":-1}]}"#,
      #"{"ckptconv_manifest":1,"files":[{"name":"a","bytes":1e30}]}"#,
      #"{"ckptconv_manifest":1,"files":[{"name":"a","bytes":99999999999999999999}]}"#,
      #"{"ckptconv_manifest":1,"x":"# + String(repeating: "[", count: 100_000),
      #"{"ckptconv_manifest":1,"files":[{"name":7}]}"#, #"{"ckptconv_manifest":1} x"#, "[", "",
    ])
  func broken(_ text: String) throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch("model.pt", Self.object, Self.storages)
    try folder.directory.write(Array(text.utf8), to: "made.json")
    let error = #expect(throws: CheckpointError.self) {
      try ManifestPairing(of: path, against: folder.directory / "made.json")
    }
    #expect(error?.path.first == folder.directory / "made.json")
  }

  @Test("Every cut of a manifest is refused, and every flipped byte read or refused")
  func sweep() throws {
    let folder = try CheckpointFolder()
    let path = try folder.torch("model.pt", ["w": Self.tensor(), "lr": 0.5], [[1, 2, 3, 4]])
    _ = try Self.make(folder, of: path)
    let made = try #require(folder.directory.bytes(of: "made.json"))
    let manifest = folder.directory / "made.json"
    for count in 0..<made.count - 2 {
      try folder.directory.write(Array(made[..<count]), to: "made.json")
      #expect(throws: CheckpointError.self) { try ManifestPairing(of: path, against: manifest) }
    }
    for index in made.indices {
      var changed = made
      changed[index] ^= 1
      try folder.directory.write(changed, to: "made.json")
      do throws(CheckpointError) {
        for pair in try ManifestPairing(of: path, against: manifest).pairs {
          _ = try VerifyFinding(of: pair)
        }
      } catch {
        #expect(error.code != .inputOutput)
      }
    }
  }
}

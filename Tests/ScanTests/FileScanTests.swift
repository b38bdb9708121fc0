import CkptBase
import CkptPickle
import CkptScan
import CkptTestSupport
import Testing

struct FileScanTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    /// The severities that must be found, the worst first, and the place of the dangerous one.
    let severities: Set<ScanFinding.Severity>
    let place: [String]?

    init(
      _ name: String, _ bytes: [UInt8], _ severities: Set<ScanFinding.Severity>,
      at place: [String]? = nil
    ) {
      testDescription = name
      self.bytes = bytes
      self.severities = severities
      self.place = place
    }

    init(
      _ name: String, _ builder: ZipBuilder, _ severities: Set<ScanFinding.Severity>,
      at place: [String]? = nil, _ change: (inout ZipBuilder) -> Void = { _ in }
    ) {
      var builder = builder
      change(&builder)
      self.init(name, builder.bytes(), severities, at: place)
    }
  }

  static let pickle = Hostile.pickle

  static let files = [
    Case("a checkpoint", Hostile.archive, [.known]),
    Case("a hostile checkpoint", Hostile.hostileArchive, [.dangerous], at: ["archive/data.pkl"]),
    Case("a bare pickle", pickle, [.dangerous], at: []),
    Case(
      "a bare pickle of protocol 0", Array("cos\nsystem\n(S'id'\ntR.".utf8), [.dangerous], at: []),
    Case("pickles of PyTorch before 1.6", LegacyFile(Hostile.call).bytes, [.dangerous], at: []),
    Case(
      "a hostile file behind a legacy file", legacy + LegacyFile(Hostile.call).bytes,
      [.dangerous, .suspicious, .known], at: ["after the last storage"]),
    Case("bytes behind the last storage", legacy + [1, 2, 3], [.suspicious, .known]),
    Case("a storage that breaks off", Array(legacy.dropLast()), [.broken, .known]),
    Case("a legacy file", legacy, [.known]),
    Case(
      "a tar archive", Hostile.tar([("sys_info", Hostile.harmless), ("pickle", pickle)]),
      [.dangerous, .known], at: ["pickle"]),
    Case("one that breaks off", Array(pickle.dropLast(3)), [.dangerous, .broken], at: []),
    Case(
      "a pickle behind the end of another", Hostile.harmless + pickle,
      [.dangerous, .suspicious, .known], at: []),
    Case(
      "a pickle in a value that nothing loads", PickledValue.bytes(pickle).pickle(protocol: 3),
      [.opaque]),
    Case(
      "a damaged archive in a value that nothing loads",
      PickledValue.bytes(Array(Hostile.archive.bytes().dropLast(400))).pickle(protocol: 3),
      [.opaque, .known]),
    Case(
      "a pickle in a value of an object that may load it",
      PickledValue.call(.global("app", "Model"), [.bytes(pickle)]).pickle(protocol: 3),
      [.dangerous, .opaque]),
    Case(
      "a pickle in a pickle in a value",
      PickledValue.bytes(PickledValue.bytes(pickle).pickle(protocol: 3)).pickle(protocol: 3),
      [.opaque]),
    Case(
      "a text pickle handed to the loader of torch",
      PickledValue.call(
        .global("torch.storage", "_load_from_bytes"), [.bytes(Array("cos\nsystem\n)R.".utf8))]
      ).pickle(protocol: 3), [.dangerous]),
    Case(
      "a name of OLMo's layout", Hostile.safetensors([(urlSafeBase64(pickle), [1])]), [.dangerous]),
    Case(
      "a name with characters that Python's base64 leaves out",
      Hostile.safetensors([(String(urlSafeBase64(pickle).flatMap { [$0, "."] }), [1])]),
      [.dangerous]),
    Case(
      "a pickled value of OLMo's layout",
      Hostile.safetensors([
        (urlSafeBase64(PickledValue.tuple([.tuple(["a"]), true]).pickle()), pickle)
      ]),
      [.dangerous]),
    Case(
      "magic number, version and object in other spellings than torch's",
      Array("N0I0x1950A86A20F9469CFC6C\n.I1_001\n.".utf8) + PickledValue.dict([]).pickle()
        + pickle + PickledValue.list([]).pickle(),
      [.dangerous], at: []),
    Case(
      "fewer than five pickles after the magic number",
      Array("L119547037146038801333356L\n.I1001\n.".utf8), [.broken]),
    Case("a tar archive of torch 0.1", torchTar(), [.known]),
    Case(
      "a pickle behind raw data in a tar archive of torch 0.1", torchTar(behindStorages: pickle),
      [.dangerous, .broken, .known], at: ["storages"]),
    Case(
      "bytes that torch does not read in a tar archive of torch 0.1",
      torchTar(behindStorages: PickledValue.list([]).pickle() + [1]), [.broken, .known]),
    Case("bytes behind the data of a member of a tar archive", paddedTar, [.suspicious]),
    Case(
      "a tar archive in a tar archive", Hostile.tar([("inner.tar", Hostile.tar([("x", pickle)]))]),
      [.dangerous], at: ["inner.tar", "x"]),
    Case(
      "a pickle that is the start of a safetensors file", polyglot, [.dangerous, .suspicious],
      at: []),
    Case(
      "an array of objects", Hostile.array("|O", pickle), [.dangerous], at: ["data of the array"]),
    Case(
      "a tar archive of a checkpoint", Hostile.tar([("a.pt", Hostile.archive.bytes())]), [.known]),
    Case("an array of floats", Hostile.array("<f4", [0, 0, 128, 63]), []),
    Case(
      "a pickle in gzip", Hostile.gzip(pickle), [.dangerous], at: ["decompressed data"]),
    Case("text in gzip", Hostile.gzip(Array("some text".utf8)), []),
    Case(
      "a pickle that crosses a frame",
      [0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0, 0, 0x4b, 1, 0x2e], [.dangerous]),
    Case(
      "a protocol 0 pickle behind 70 kB of text",
      Array("V\(String(repeating: "a", count: 70_000))\n0cos\nsystem\n(S'id'\ntR.".utf8),
      [.dangerous], at: []),
    Case(
      "a tensor of bytes that is a pickle", Hostile.safetensors([("w", pickle)]),
      [.dangerous, .suspicious], at: ["tensor 'w'"]),
    Case(
      "a skeleton",
      Hostile.safetensors(
        [], metadata: "\"ckptconv.skeleton\":\"\(skeleton.replacing("\"", with: "\\\""))\""),
      [.dangerous], at: ["skeleton"]),
    Case("a safetensors file", Hostile.safetensors([("w", [1, 2, 3, 4])]), []),
  ]

  /// A legacy file of one tensor.
  private static let legacy = LegacyFile(
    .dict(["w", .tensor(.legacyStorage("FloatStorage", 1), [1])]),
    [.init("0", count: 1, [0, 0, 0, 0])]
  ).bytes

  /// An archive of torch 0.1 with one storage.
  private static func torchTar(behindStorages rest: [UInt8] = []) -> [UInt8] {
    let storage = PickledValue.tuple([7, "cpu", .global("torch", "FloatStorage")]).pickle()
    return Hostile.tar([
      (
        "storages",
        PickledValue.int(1).pickle() + storage + littleEndian(1) + [9, 9, 9, 9] + rest
      ),
      ("pickle", PickledValue.dict([]).pickle()),
    ])
  }

  private static var paddedTar: [UInt8] {
    var bytes = Hostile.tar([("notes", Array("text".utf8))])
    bytes[512 + 100] = 1
    return bytes
  }

  /// A safetensors header whose length is the start of a line of text to a pickle machine.
  private static var polyglot: [UInt8] {
    let header = #"{"w":{"dtype":"U8","shape":[26],"data_offsets":[0,26]}}"#
    let padded = header + String(repeating: " ", count: 0x56 - header.utf8.count)
    let tail = Array("\n0cos\nsystem\n(S'id'\ntR.".utf8)
    return SafetensorsFile(padded, data: tail + [UInt8](repeating: 0, count: 26 - tail.count)).bytes
  }

  static let skeleton = """
    {"skeleton":1,"layout":"plain","root":[0],"nodes":[["call",[1],[2]],["global","os","system"],["tuple"]]}
    """

  @Test("What files of every kind would run is found", arguments: files)
  func scans(_ test: Case) throws {
    let scan = try FileScan(of: TemporaryFile.holding(test.bytes))
    #expect(Set(scan.findings.map(\.severity)) == test.severities, "\(scan.findings)")
    if let place = test.place {
      #expect(scan.findings.contains { $0.severity == .dangerous && $0.place == place })
    }
    if test.severities.contains(.dangerous), test.place != nil {
      #expect(scan.findings.contains { $0.global?.qualifiedName == "os.system" })
    }
    #expect(
      scan.verdict == .clean || scan.verdict.rawValue == scan.findings.first?.severity.rawValue)
    #expect(scan.findings == scan.findings.sorted { rank($0) < rank($1) })
  }

  private func rank(_ finding: ScanFinding) -> Int {
    ScanFinding.Severity.allCases.firstIndex(of: finding.severity) ?? 0
  }

  static let others = [
    ("<html></html>", "web page"), ("{}", "JSON text"), ("model:\n  d_model: 1\n", "text"),
    ("cat: 1\ndog: 2\n", "text"), ("collections\nos\ntorch._utils\nsys\n", "text"),
    ("(lambda x: x)\n", "text"), ("import os\nos.system('id')\n", "text"), ("", "empty file"),
    ("(dp0\nS'a'\np1\nI1\ns.", "pickle"), ("I5\r\n.", "pickle"),
  ]

  @Test("Text and empty files are clean, and named as what they are", arguments: others)
  func other(_ text: String, _ format: String) throws {
    let scan = try FileScan(of: TemporaryFile.holding(Array(text.utf8)))
    #expect(scan.verdict == .clean && scan.format == format, "\(scan.format): \(scan.findings)")
  }

  @Test("What is not looked into is named, and not clean")
  func unread() throws {
    let pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "a", count: 64))\nsize 5\n"
    let files: [[UInt8]] = [
      Array(pointer.utf8), [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4],
      [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0], [0x28, 0xb5, 0x2f, 0xfd, 0],
      [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0],
    ]
    for bytes in files {
      #expect(try FileScan(of: TemporaryFile.holding(bytes)).verdict == .unread, "\(bytes)")
    }
  }

  /// A million in `make sweep`.
  private static let storageCount = Thoroughness.isFull ? 1_000_000 : 20_000

  @Test("Random storages raise no alarm")
  func randomStorages() {
    var generator = SeededGenerator(seed: 16)
    var alarms = 0
    for number in 0..<Self.storageCount {
      let bytes = Self.storage(number % 4, &generator)
      let scan = PickleScan(bytes.span, stopsAtFault: true)
      if scan.isConvincing, !scan.globals.isEmpty { alarms += 1 }
    }
    #expect(alarms == 0)
  }

  /// 64 numbers as a tensor has them: uniform bytes, normal floats, small ints, packed nibbles.
  private static func storage(_ kind: Int, _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256)
    for _ in 0..<32 {
      let word = generator.next()
      switch kind {
      case 0: withUnsafeBytes(of: word) { bytes.append(contentsOf: $0) }
      case 1:
        var sum: Float = -2
        for shift in [0, 16, 32, 48] { sum += Float((word >> UInt64(shift)) & 0xffff) / 65536 }
        withUnsafeBytes(of: (sum * 0.02).bitPattern) { bytes.append(contentsOf: $0) }
      case 2: withUnsafeBytes(of: word % 256) { bytes.append(contentsOf: $0) }
      default:
        let nibbles = word & 0x7777_7777_7777_7777
        withUnsafeBytes(of: nibbles) { bytes.append(contentsOf: $0) }
      }
    }
    return bytes
  }

  @Test("Tensor data that begins like a pickle is none")
  func chance() throws {
    let data: [UInt8] =
      [0x80, 2, 0x63, 0x61, 0x0a, 0x62, 0x0a] + [UInt8](repeating: 7, count: 3000)
    let builder = ZipBuilder.torch(
      pickle: Hostile.harmless, storages: [data, [0x80, 4, 0x95] + data, Array("(dp".utf8)])
    let scan = try FileScan(of: TemporaryFile.holding(builder.bytes()))
    #expect(Set(scan.findings.map(\.severity)) == [.known])
    #expect(scan.pickleCount == 1)
  }

  @Test("Every cut of a hostile file is scanned, and what is left of the call is found")
  func cuts() throws {
    let bytes = Hostile.hostileArchive.bytes()
    for count in stride(from: 1, to: bytes.count, by: Thoroughness.stride) {
      let scan = try? FileScan(of: TemporaryFile.holding(Array(bytes.prefix(count))))
      // The pickle's data begins at the first multiple of the alignment.
      guard count > 64 + Hostile.pickle.count else { continue }
      #expect(scan?.count(.dangerous) == 1, "cut to \(count) bytes")
    }
  }

  @Test("A flipped bit hides nothing from the scan that is not also hidden from Python")
  func flips() throws {
    let bytes = Hostile.hostileArchive.bytes()
    let pickle = 64..<64 + Hostile.pickle.count
    for place in stride(from: 0, to: bytes.count * 8, by: Thoroughness.stride) {
      let (index, bit) = place.quotientAndRemainder(dividingBy: 8)
      guard !pickle.contains(index) else { continue }
      var flipped = bytes
      flipped[index] ^= 1 << UInt8(bit)
      let scan = try? FileScan(of: TemporaryFile.holding(flipped))
      #expect(
        (scan?.count(.dangerous) ?? 0) > 0 || (scan?.count(.broken) ?? 1) > 0,
        "bit \(bit) of byte \(index)")
    }
  }
}

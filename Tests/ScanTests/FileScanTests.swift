import CkptBase
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
    Case(
      "pickles of PyTorch before 1.6",
      [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e]
        + PickledValue.int(1001).pickle() + PickledValue.dict([]).pickle() + pickle
        + PickledValue.list(["0"]).pickle() + [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 63],
      [.dangerous], at: []),
    Case(
      "a tar archive", Hostile.tar([("sys_info", Hostile.harmless), ("pickle", pickle)]),
      [.dangerous, .suspicious, .known], at: ["pickle"]),
    Case("one that breaks off", Array(pickle.dropLast(3)), [.dangerous, .broken], at: []),
    Case(
      "a pickle behind the end of another", Hostile.harmless + pickle,
      [.dangerous, .suspicious, .known], at: []),
    Case(
      "a pickle in a value", PickledValue.bytes(pickle).pickle(protocol: 3),
      [.dangerous, .suspicious],
      at: ["value at byte 0x2"]),
    Case(
      "a pickle in a pickle in a value",
      PickledValue.bytes(PickledValue.bytes(pickle).pickle(protocol: 3)).pickle(protocol: 3),
      [.dangerous, .suspicious], at: ["value at byte 0x2", "value at byte 0x2"]),
    Case(
      "a text pickle handed to the loader of torch",
      PickledValue.call(
        .global("torch.storage", "_load_from_bytes"), [.bytes(Array("cos\nsystem\n)R.".utf8))]
      ).pickle(protocol: 3), [.dangerous, .suspicious]),
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
      "a tensor of bytes that is a pickle", Hostile.safetensors([("w", pickle)]),
      [.dangerous, .suspicious], at: ["tensor 'w'"]),
    Case(
      "a skeleton",
      Hostile.safetensors(
        [], metadata: "\"ckptconv.skeleton\":\"\(skeleton.replacing("\"", with: "\\\""))\""),
      [.dangerous], at: ["skeleton"]),
    Case("a safetensors file", Hostile.safetensors([("w", [1, 2, 3, 4])]), []),
  ]

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
    if test.severities.contains(.dangerous) {
      #expect(scan.findings.contains { $0.global?.qualifiedName == "os.system" })
    }
    #expect(scan.findings == scan.findings.sorted { rank($0) < rank($1) })
  }

  private func rank(_ finding: ScanFinding) -> Int {
    ScanFinding.Severity.allCases.firstIndex(of: finding.severity) ?? 0
  }

  @Test("Files that hold no pickle are named as what they are")
  func others() {
    for text in ["<html></html>", "{}", "model:\n  d_model: 1\n", "cat: 1\ndog: 2\n", ""] {
      let error = #expect(throws: CheckpointError.self) {
        try FileScan(of: TemporaryFile.holding(Array(text.utf8)))
      }
      #expect(error?.code == .unsupported || error?.code == .truncated)
    }
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

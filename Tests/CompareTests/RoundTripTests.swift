import CkptBase
import CkptCompare
import CkptContainer
import CkptCopy
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

@Suite("Files are taken to the other format and back")
struct RoundTripTests {
  /// Bytes that no header has, so that a test can find them.
  private static let storage = [UInt8](1...100)

  private static func tensor(_ count: Int, offset: Int = 0) -> PickledValue {
    .tensor(.storage("ByteStorage", 100), [count], offset: offset)
  }

  /// A `.pt` file as the encoder writes it, which is how `torch.save` does.
  private static func torch(
    _ folder: CheckpointFolder, _ object: PickledValue, _ storages: [[UInt8]] = [storage]
  ) throws -> String {
    let source = try folder.torch("source.pt", object, storages)
    return try folder.torch(
      "a.pt", from: folder.safetensors("a.safetensors", from: source, .init()))
  }

  private static func run(
    _ path: String, layout: Layout? = nil, threads: Int? = nil
  ) throws -> RoundTrip.Finding {
    try RoundTrip(layout: layout, budget: CopyBudget(threads: threads)).run(path) { _, _ in }
  }

  // MARK: Identical

  @Test(
    "A file of torch.save comes back byte for byte", arguments: [Layout.plain, .olmo], [1, 3])
  func torch(layout: Layout, threads: Int) throws {
    let folder = try CheckpointFolder()
    let path = try Self.torch(
      folder,
      [
        "w": Self.tensor(100), "again": Self.tensor(100), "lr": 0.1, "step": 7,
        "list": [1, .tuple(["a", .none]), .bytes([0, 255])],
      ])
    let finding = try Self.run(path, layout: layout, threads: threads)
    #expect(finding.verdict == .identical && !finding.isLossy)
    #expect(finding.format == .safetensors && finding.layout == layout)
    #expect(finding.byteCount == finding.returnedByteCount)
    #expect(finding.byteCount == folder.directory.bytes(of: "a.pt")?.count)
    #expect(finding.reasons == [] && finding.differences == [])
  }

  @Test("A safetensors file comes back byte for byte, with a skeleton or without")
  func safetensors() throws {
    let folder = try CheckpointFolder()
    let source = try Self.torch(
      folder, .dict(["w", .memoized(1, Self.tensor(100)), "tied", .memo(1)]))
    for options in [
      SafetensorsOptions(layout: .plain), .init(layout: .olmo), .init(tied: .copy),
      .init(includesSkeleton: false),
    ] {
      let finding = try Self.run(folder.safetensors("a.safetensors", from: source, options))
      #expect(finding.verdict == .identical && finding.format == .torch)
      #expect(finding.layout == options.layout)
    }
  }

  // MARK: Different bytes

  @Test("Bytes that no tensor reaches are counted, and told where they are", arguments: [1, 3])
  func unreached(threads: Int) throws {
    let folder = try CheckpointFolder()
    let object: PickledValue = ["a": Self.tensor(20), "b": Self.tensor(30, offset: 70)]
    // What comes back has zeros in the gap; with other bytes there it is the file that left.
    let path = try Self.torch(folder, object)
    #expect(try Self.run(path).verdict == .identical)
    let lossy = try folder.torch("lossy.pt", object, [Self.storage])
    let finding = try Self.run(lossy, threads: threads)
    #expect(finding.verdict == .sameObject && finding.isLossy)
    #expect(finding.lostByteCount == 50)
    #expect(finding.differences == [])
    if finding.byteCount == finding.returnedByteCount {
      #expect(finding.reasons[0].hasPrefix("'archive/data/0' has unused bytes 20..<70"))
    }
  }

  @Test("Zeros that no tensor reaches are not lost, and an unused storage is")
  func unused() throws {
    let folder = try CheckpointFolder()
    let object: PickledValue = ["a": Self.tensor(20)]
    let zeros = Self.storage.prefix(20) + [UInt8](repeating: 0, count: 80)
    let intact = try folder.torch("a.pt", object, [Array(zeros)])
    #expect(try Self.run(intact).lostByteCount == 0)
    let other = try folder.torch("b.pt", object, [Array(zeros), [0, 1, 2, 0, 3]])
    let finding = try Self.run(other)
    #expect(finding.lostByteCount == 3 && finding.isLossy)
    #expect(finding.verdict == .sameObject)
  }

  @Test("A header that is spelled in another way is the same object")
  func spelling() throws {
    let folder = try CheckpointFolder()
    let path = try folder.safetensors(
      "a.safetensors",
      #"{ "b": {"dtype":"U8","shape":[3],"data_offsets":[0,3]}, "#
        + #""a": {"dtype":"U8","shape":[2],"data_offsets":[3,5]} }"#,
      data: [1, 2, 3, 4, 5])
    let finding = try Self.run(path)
    #expect(finding.verdict == .sameObject && !finding.isLossy)
    #expect(finding.lostByteCount == 0 && finding.differenceCount == 0)
    #expect(
      finding.reasons == [
        "the file has \(finding.byteCount) bytes, but the restored one has "
          + "\(finding.returnedByteCount)", "the restored file has a skeleton",
      ])
  }

  @Test("Differences in a file of the same size are told apart by what the bytes are")
  func attribution() throws {
    let folder = try CheckpointFolder()
    let path = try Self.torch(folder, ["a": Self.tensor(20), "b": Self.tensor(30, offset: 70)])
    // The writer's own padding is replaced: the tensors are the same, the container is not.
    guard var bytes = folder.directory.bytes(of: "a.pt"),
      let place = bytes.indices.first(where: { bytes[$0...].starts(with: Array("ZZZZ".utf8)) })
    else {
      Issue.record("the archive has no padding")
      return
    }
    bytes[place] = UInt8(ascii: "Y")
    try folder.directory.write(bytes, to: "a.pt")
    let finding = try Self.run(path)
    #expect(finding.verdict == .sameObject && !finding.isLossy)
    #expect(finding.differingByteCount == 1 && finding.lostByteCount == 0)
    #expect(
      finding.reasons == ["1 container bytes (headers, pickle) differ"])
  }

  // MARK: Errors and inputs

  @Test("A damaged file is an error that names it")
  func damage() throws {
    let folder = try CheckpointFolder()
    let path = try Self.torch(folder, ["a": Self.tensor(100)])
    try folder.damage("a.pt", at: Self.storage)
    let error = #expect(throws: CheckpointError.self) { try Self.run(path) }
    #expect(error?.code == .checksumMismatch)
    #expect(error?.path.first == path)
  }

  @Test("A directory stands for its states, and an index for its shards")
  func files() throws {
    let folder = try CheckpointFolder()
    let source = try folder.torch("model.pt", VerifyTests.weights, VerifyTests.storages)
    #expect(try RoundTrip.files(of: folder.directory.path) == [source])
    #expect(try RoundTrip.files(of: source) == [source])
    let other = try CheckpointFolder()
    let index = try other.shards(from: source, maximumByteCount: 30)
    let shards = try RoundTrip.files(of: index)
    #expect(shards.count > 1)
    #expect(try RoundTrip.files(of: other.directory.path) == shards)
    for shard in shards { #expect(try Self.run(shard).verdict == .identical) }
    let empty = try CheckpointFolder()
    let error = #expect(throws: CheckpointError.self) {
      try RoundTrip.files(of: empty.directory.path)
    }
    #expect(error?.code == .unsupported)
  }

  @Test("The report has a member for everything that was found")
  func report() throws {
    let folder = try CheckpointFolder()
    var report = RoundTripReport()
    report.findings = [try Self.run(Self.torch(folder, ["a": Self.tensor(100)]))]
    report.failures = [("b.pt", CheckpointError(.malformed, "no checkpoint"))]
    let json = report.json { $0.text ?? "" }
    #expect(json.contains(#""verdict":"identical""#))
    #expect(json.contains(#""lost_bytes":0"#))
    #expect(json.contains(#""code":"malformed""#))
  }
}

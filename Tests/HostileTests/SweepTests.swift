import CkptBase
import CkptHostileSupport
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import Testing

/// Every truncation and every flipped bit of a small file of each kind: the file is refused, or what
/// it now says survives a conversion there and back.
@Suite("Sweeps over whole files", .serialized)
struct SweepTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// The whole file.
    let file: @Sendable () throws -> [UInt8]
    var testDescription: String { name }

    /// A file that we make.
    init(name: String, _ file: @escaping @Sendable () throws -> [UInt8]) {
      (self.name, self.file) = (name, file)
    }

    /// A file that a version of torch made.
    init(torch version: String, _ name: String) {
      self.init(name: "\(name) of torch \(version)") {
        try Fixture.bytes("torch-corpus/torch-\(version)/\(name).pt")
      }
    }
  }

  private static let object: PickledValue = [
    "w": .tensor(.storage("HalfStorage", 3), [3]),
    "v": .tensor(.storage("HalfStorage", 3), [2], strides: [2]),
    "n": .tuple([1, 2.5, .none, true, .bytes([1]), [:]]),
  ]

  private static func archive(_ version: UInt8) -> [UInt8] {
    ZipBuilder.torch(pickle: object.pickle(protocol: version), storages: [[1, 2, 3, 4, 5, 6]])
      .bytes()
  }

  private static func legacy(_ version: UInt8) -> [UInt8] {
    let view = PickledValue.legacyStorage("HalfStorage", 3, view: .tuple(["1", 1, 2]))
    let type = PickledValue.persistent(
      .tuple(["module", .global("net", "Net"), "net.py", "class"]))
    return LegacyFile(
      [
        "w": .tensor(.legacyStorage("HalfStorage", 3), [3]), "v": .tensor(view, [1], offset: 1),
        "n": .new(type, []),
      ], [.init("0", count: 3, [1, 2, 3, 4, 5, 6])], protocol: version
    ).bytes
  }

  private static func safetensors(_ options: SafetensorsOptions) throws -> [UInt8] {
    try HostileFile.converted(archive(2), options: options)
  }

  static let archives = [
    Case(name: "protocol 0") { archive(0) },
    Case(name: "protocol 2") { archive(2) },
    Case(name: "protocol 4") { archive(4) },
    Case(torch: "1.6.0", "probe_bfloat16"),
    Case(torch: "1.6.0", "sparse"),
    Case(torch: "1.13.1", "recursive"),
    Case(torch: "2.4.1", "shared_objects"),
    Case(torch: "2.13.0", "root_parameter"),
    Case(name: "legacy, protocol 2") { legacy(2) },
    Case(name: "legacy, protocol 4") { legacy(4) },
    Case(torch: "1.13.1", "legacy"),
    Case(torch: "2.13.0", "legacy_views"),
  ]

  static let flat = [
    Case(name: "safetensors with a skeleton") { try safetensors(.init()) },
    Case(name: "safetensors in OLMo's layout with a skeleton") {
      try safetensors(.init(layout: .olmo))
    },
    Case(name: "safetensors alone") {
      try safetensors(.init(includesSkeleton: false, allowsLoss: true))
    },
    Case(name: "safetensors in OLMo's layout") {
      try safetensors(.init(layout: .olmo, includesSkeleton: false, allowsLoss: true))
    },
  ]

  @Test("A file cut anywhere is refused", arguments: archives + flat)
  func truncations(_ test: Case) throws {
    let bytes = try test.file()
    #expect(try HostileFile.check(bytes) == .survived)
    for cut in Mutants.cut(bytes) {
      let outcome = try HostileFile.check(cut)
      #expect(outcome != .survived, "cut at \(cut.count)")
    }
  }

  @Test("A file with any bit flipped is refused or survives", arguments: archives + flat)
  func flips(_ test: Case) throws {
    for mutant in try Mutants.flipped(test.file()) {
      #expect(throws: Never.self, "bit \(mutant.bit)") { try HostileFile.check(mutant.bytes) }
    }
  }

  @Test("An index of shards, cut or with any bit flipped, is refused or survives")
  func shards() throws {
    let folder = try TemporaryDirectory()
    let name = "model.safetensors.index.json"
    for (file, tensor) in [("a.safetensors", "w"), ("b.safetensors", "v")] {
      let header = #"{"\#(tensor)":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#
      try folder.write(SafetensorsFile(header, data: [1, 2]).bytes, to: file)
    }
    let index = Array(
      """
      {"metadata": {"total_size": 4}, "weight_map": {"v": "b.safetensors", "w": "a.safetensors"}}
      """.utf8)
    func outcome(_ bytes: [UInt8]) throws -> HostileFile.Outcome {
      try folder.write(bytes, to: name)
      return try HostileFile.check(FileSource(path: folder / name), layout: .plain)
    }
    #expect(try outcome(index) == .survived)
    for cut in Mutants.cut(index) {
      #expect(try outcome(cut) != .survived, "cut at \(cut.count)")
    }
    for mutant in Mutants.flipped(index) {
      #expect(throws: Never.self, "bit \(mutant.bit)") { try outcome(mutant.bytes) }
    }
  }

  static let configurations = [
    "olmo2-fsdp/step6-unsharded/config.yaml", "olmo1-lionw/step12-unsharded/config.yaml",
    "olmo1-lionw/ref-hf/config.json",
  ]

  @Test(
    "A configuration, cut or with any bit flipped, is refused or translated",
    arguments: configurations)
  func translations(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    #expect(try HostileConfiguration.check(bytes) == nil)
    for mutant in Array(Mutants.cut(bytes)) + Mutants.flipped(bytes).map(\.bytes) {
      #expect(throws: Never.self) {
        try HostileConfiguration.check(mutant)
        if name.hasSuffix("yaml") { try HostileConfiguration.checkYAML(mutant) }
      }
    }
  }
}

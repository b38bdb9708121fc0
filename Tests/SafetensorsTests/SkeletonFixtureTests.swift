import CkptBase
import CkptCopy
import CkptContainer
import CkptPlan
import CkptSafetensors
import CkptSkeleton
import CkptTestSupport
import CkptTorch
import Testing

/// Skeletons of real files: those that earlier versions wrote, and how large those of today are.
struct SkeletonFixtureTests {
  struct Old: Sendable, CustomTestStringConvertible {
    /// The name of the file below `skeleton-1`.
    let name: String
    /// The file that it was made from.
    let source: String
    var testDescription: String { name }

    init(_ name: String, of source: String) {
      self.name = name
      self.source = source
    }
  }

  static let old = [
    Old("dtypes", of: "plain/dtypes.pt"),
    Old("objects", of: "plain/objects.pt"),
    Old("olmo", of: "torch-corpus/torch-2.13.0/module_state_dict.pt"),
    Old("proto4", of: "torch-corpus/torch-1.6.0/proto4.pt"),
    Old("recursive", of: "torch-corpus/torch-2.13.0/recursive.pt"),
    Old("shared_objects", of: "torch-corpus/torch-2.13.0/shared_objects.pt"),
    Old("state_dict-tied", of: "plain/state_dict-tied.pt"),
    Old("torchscript", of: "torch-corpus/torch-2.13.0/torchscript.pt"),
    Old("train_checkpoint", of: "torch-corpus/torch-2.13.0/train_checkpoint.pt"),
    Old("whole-module", of: "plain/whole-module.pt"),
  ]

  @Test("A file with a skeleton of version 1 becomes the file it was made from", arguments: old)
  func firstVersion(_ test: Old) throws {
    let file = try Fixture.open("skeleton-1/\(test.name).safetensors")
    #expect(try Self.archive(of: file) == Fixture.bytes(test.source))
  }

  struct Size: Sendable, CustomTestStringConvertible {
    let source: String
    /// The entry for the storages in the list of records.
    let run: String
    /// The most bytes that the skeleton may have.
    let byteCount: Int
    var testDescription: String { source }
  }

  static let sizes = [
    Size(source: "torch-corpus/torch-1.13.1/many.pt", run: #"[0,1203,"text"]"#, byteCount: 4500),
    Size(source: "torch-corpus/torch-2.13.0/many.pt", run: "[0,1203]", byteCount: 4500),
    Size(source: "olmo2-fsdp/step6-unsharded/optim.pt", run: "[0,", byteCount: 3500),
    Size(source: "plain/whole-module.pt", run: "[0,10]", byteCount: 2000),
  ]

  @Test("Skeletons are short, in either layout, and the same from run to run", arguments: sizes)
  func size(_ test: Size) throws {
    let checkpoint = try TorchReader.read(Fixture.open(test.source))
    for layout in Layout.allCases {
      let plan = try SafetensorsEncoder.encode(checkpoint, options: .init(layout: layout)).plan
      let file = try Self.file(plan)
      let skeleton = try #require(
        SafetensorsReader.read(file, .init(ignoresSkeleton: true)).container?.metadata
          .first { $0.key == "ckptconv.skeleton" }
      ).value
      #expect(skeleton.utf8.count < test.byteCount)
      #expect(try Self.archive(of: file) == Fixture.bytes(test.source))
      let again = try SafetensorsEncoder.encode(checkpoint, options: .init(layout: layout)).plan
      #expect(try Self.bytes(of: Self.file(again)) == Self.bytes(of: file))
    }
  }

  /// The archive that a safetensors file becomes.
  private static func archive(of file: any ByteSource) throws -> [UInt8] {
    let checkpoint = try SafetensorsReader.read(file)
    #expect(checkpoint.warnings == [])
    return try bytes(
      of: Self.file(TorchEncoder.encode(checkpoint, options: .init(prefix: "x")).plan))
  }

  private static func file(_ plan: FilePlan) throws -> FileSource {
    let directory = try TemporaryDirectory()
    let output = try StagedOutput(path: directory / "out")
    try CopyEngine(threadCount: 2).run(plan, into: output)
    return try output.makeSource()
  }

  private static func bytes(of file: any ByteSource) throws -> [UInt8] {
    try file.bytes(in: 0..<file.byteCount)
  }
}

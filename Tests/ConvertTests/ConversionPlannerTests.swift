import CkptBase
import CkptCheckpoints
import CkptContainer
import CkptCopy
import CkptSkeleton
import CkptTestSupport
import Glibc
import Testing

@testable import CkptConvert

@Suite("What is written where is decided by names and places alone")
struct ConversionPlannerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var format = CheckpointFormat.safetensors
    let inputs: [String]
    let destination: Place
    var change: @Sendable (inout ConversionOptions) -> Void = { _ in }
    /// `source > output`, and what happens in between; paths below the directory.
    let steps: [String]
  }

  /// A destination, with a path below the directory.
  enum Place: Sendable {
    case standardOutput, beside
    case path(String)

    func destination(in directory: TemporaryDirectory) -> Destination {
      switch self {
      case .standardOutput: .standardOutput
      case .beside: .besideInput
      case .path(let path): .path(directory / path)
      }
    }
  }

  static let cases = [
    Case(
      testDescription: "a file beside itself", inputs: ["a.pt"], destination: .beside,
      steps: ["a.pt > a.safetensors as plain"]),
    Case(
      testDescription: "a file to a name", inputs: ["a.pt"], destination: .path("x/y.bin"),
      steps: ["a.pt > x/y.bin as plain"]),
    Case(
      testDescription: "a file into a directory", inputs: ["a.pt"], destination: .path("empty"),
      steps: ["a.pt > empty/a.safetensors as plain"]),
    Case(
      testDescription: "a file into a directory to be", inputs: ["a.pt"],
      destination: .path("new/"),
      steps: ["a.pt > new/a.safetensors as plain"]),
    Case(
      testDescription: "two files", inputs: ["a.pt", "b.x.pt"], destination: .path("new"),
      steps: ["a.pt > new/a.safetensors as plain", "b.x.pt > new/b.x.safetensors as plain"]),
    Case(
      testDescription: "a file to the standard output", inputs: ["a.pt"],
      destination: .standardOutput, steps: ["a.pt > - as plain"]),
    Case(
      testDescription: "a file of a checkpoint", inputs: ["run/model.pt"], destination: .beside,
      steps: ["run/model.pt > run/model.safetensors as olmo"]),
    Case(
      testDescription: "a checkpoint beside itself", inputs: ["run"], destination: .beside,
      steps: [
        "run/model.pt > run/model.safetensors as olmo",
        "run/optim.pt > run/optim.safetensors as olmo",
      ]),
    Case(
      testDescription: "a checkpoint elsewhere takes its files along", inputs: ["run"],
      destination: .path("new"),
      steps: [
        "run/model.pt > new/model.safetensors as olmo",
        "run/optim.pt > new/optim.safetensors as olmo",
        "run/config.yaml > new/config.yaml as it is", "run/train.pt > new/train.pt as it is",
      ]),
    Case(
      testDescription: "the trainer's state is converted when asked for", inputs: ["run"],
      destination: .path("new"), change: { $0.convertsTrainerState = true },
      steps: [
        "run/model.pt > new/model.safetensors as olmo",
        "run/optim.pt > new/optim.safetensors as olmo",
        "run/train.pt > new/train.safetensors as olmo",
        "run/config.yaml > new/config.yaml as it is",
      ]),
    Case(
      testDescription: "a layout that was asked for", inputs: ["run/model.pt"],
      destination: .beside, change: { $0.layout = .plain },
      steps: ["run/model.pt > run/model.safetensors as plain"]),
    Case(
      testDescription: "shards of a file go to a directory", inputs: ["a.pt"],
      destination: .path("new"), change: { $0.maximumShardByteCount = 9 },
      steps: ["a.pt > new/a.safetensors in shards of 9"]),
    Case(
      testDescription: "shards of two files go to a directory each", inputs: ["a.pt", "b.x.pt"],
      destination: .path("new"), change: { $0.maximumShardByteCount = 9 },
      steps: [
        "a.pt > new/a/a.safetensors in shards of 9", "b.x.pt > new/b/b.safetensors in shards of 9",
      ]),
    Case(
      testDescription: "a folder of shards becomes one, with its other files", inputs: ["shards"],
      destination: .path("new"),
      steps: [
        "shards/pytorch_model.bin.index.json > new/model.safetensors in shards",
        "shards/config.json > new/config.json as it is",
      ]),
    Case(
      testDescription: "a folder of shards becomes one file where a file is named",
      inputs: ["shards"], destination: .path("new.safetensors"),
      steps: ["shards/pytorch_model.bin.index.json > new.safetensors as plain"]),
    Case(
      testDescription: "an index gives the file its name", format: .torch,
      inputs: ["shards/pytorch_model.bin.index.json"], destination: .beside,
      steps: ["shards/pytorch_model.bin.index.json > shards/model.pt"]),
    Case(
      testDescription: "a distributed checkpoint becomes a file for each part", format: .torch,
      inputs: ["step"], destination: .path("new"),
      steps: [
        "step > new/model.pt in parts", "step/config.yaml > new/config.yaml as it is",
        "step/train/rank0.pt > new/train.pt as it is",
      ]),
    Case(
      testDescription: "a distributed checkpoint becomes one file where a file is named",
      format: .torch, inputs: ["step"], destination: .path("new.pt"), steps: ["step > new.pt"]),
    Case(
      testDescription: "a folder of one file", inputs: ["folder"], destination: .beside,
      steps: ["folder/pytorch_model.bin > folder/model.safetensors as plain"]),
    Case(
      testDescription: "several checkpoints get directories of their own", inputs: ["run", "run2"],
      destination: .path("new"),
      steps: [
        "run/model.pt > new/run/model.safetensors as olmo",
        "run/optim.pt > new/run/optim.safetensors as olmo",
        "run/config.yaml > new/run/config.yaml as it is",
        "run/train.pt > new/run/train.pt as it is",
        "run2/model.pt > new/run2/model.safetensors as olmo",
        "run2/config.yaml > new/run2/config.yaml as it is",
      ]),
    Case(
      testDescription: "the way back has the trainer's state from its safetensors",
      format: .torch, inputs: ["back"], destination: .path("new"),
      steps: [
        "back/model.safetensors > new/model.pt", "back/train.safetensors > new/train.pt",
        "back/config.yaml > new/config.yaml as it is",
      ]),
    Case(
      testDescription: "names that only Unicode calls the same", inputs: spellings,
      destination: .path("new"),
      steps: spellings.map { "\($0) > new/\($0.dropLast(3)).safetensors as plain" }),
  ]

  static let spellings = [Spellings.composed, Spellings.decomposed].map { "\($0).pt" }

  private static func tree() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for folder in ["run", "run2", "back", "empty"] {
      _ = try Syscalls.makeDirectories(directory / folder)
      if folder != "empty" {
        try directory.write(Array("model:\n".utf8), to: "\(folder)/config.yaml")
      }
    }
    for folder in ["shards", "folder", "step/model_and_optim", "step/train"] {
      _ = try Syscalls.makeDirectories(directory / folder)
    }
    try directory.write(Array("model:\n".utf8), to: "step/config.yaml")
    let files = [
      "shards/pytorch_model.bin.index.json", "shards/config.json", "shards/.hidden",
      "step/model_and_optim/.metadata", "step/train/rank0.pt",
      "shards/pytorch_model-00001-of-00002.bin", "folder/pytorch_model.bin",
      "a.pt", "b.x.pt", "run/model.pt", "run/optim.pt", "run/train.pt", "run2/model.pt",
      "back/model.safetensors", "back/train.safetensors",
    ]
    for name in files + spellings { try directory.write([0], to: name) }
    symlink("a.pt", directory / "link.pt")
    return directory
  }

  private static func description(
    _ step: ConversionTask.Step, below directory: TemporaryDirectory
  ) -> String {
    func short(_ path: String) -> String { String(path.dropFirst(directory.path.count + 1)) }
    let action =
      switch step.action {
      case .encodeSafetensors(let layout): " as \(layout)"
      case .encodeShards(let byteCount): " in shards" + (byteCount.map { " of \($0)" } ?? "")
      case .encodeParts: " in parts"
      case .encodeTorch: ""
      case .carry: " as it is"
      }
    return "\(short(step.source)) > \(step.target.path.map(short) ?? "-")\(action)"
  }

  @Test("Every output has its place", arguments: cases)
  func places(_ test: Case) throws {
    let directory = try Self.tree()
    var options = ConversionOptions(to: test.format)
    test.change(&options)
    let planner = ConversionPlanner(
      options: options, destination: test.destination.destination(in: directory))
    let plan = try planner.plan(for: test.inputs.map { directory / $0 })
    #expect(plan.failures.isEmpty)
    let steps = plan.tasks.flatMap(\.steps).map { Self.description($0, below: directory) }
    #expect(steps.map { Array($0.utf8) } == test.steps.map { Array($0.utf8) })
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let inputs: [String]
    let destination: Place
    var manifest: String?
    var shardByteCount: Int?
    let code: CheckpointError.Code
    let message: String
  }

  static let refusals = [
    Refusal(
      testDescription: "nothing", inputs: ["none.pt"], destination: .beside, code: .inputOutput,
      message: "no such file or directory"),
    Refusal(
      testDescription: "no checkpoint", inputs: ["empty"], destination: .beside,
      code: .unsupported, message: "no model file and no optim file"),
    Refusal(
      testDescription: "a directory to the standard output", inputs: ["run"],
      destination: .standardOutput, code: .unsupported,
      message: "a directory has several outputs, but standard output takes one"),
    Refusal(
      testDescription: "shards of a state of OLMo's trainer", inputs: ["run"],
      destination: .path("new"), shardByteCount: 9, code: .unsupported,
      message: "does not read shards"),
    Refusal(
      testDescription: "shards to the standard output", inputs: ["a.pt"],
      destination: .standardOutput, shardByteCount: 9, code: .unsupported,
      message: "this has several outputs"),
    Refusal(
      testDescription: "two outputs of one name", inputs: ["run/model.pt", "run2/model.pt"],
      destination: .path("new"), code: .unsupported, message: "would both be written to"),
    Refusal(
      testDescription: "an output in the place of its input", inputs: ["a.pt"],
      destination: .path("a.pt"), code: .unsupported, message: "this would replace"),
    Refusal(
      testDescription: "an output in the place of its input, by a link", inputs: ["a.pt"],
      destination: .path("link.pt"), code: .unsupported, message: "this would replace"),
    Refusal(
      testDescription: "a manifest in the place of an input", inputs: ["a.pt"],
      destination: .beside, manifest: "a.pt", code: .unsupported,
      message: "this would replace"),
    Refusal(
      testDescription: "a manifest in the place of an output", inputs: ["a.pt"],
      destination: .beside, manifest: "a.safetensors", code: .unsupported,
      message: "this would replace"),
  ]

  @Test("What cannot be written is refused before anything is read", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let directory = try Self.tree()
    var options = ConversionOptions(to: .safetensors)
    options.manifest = test.manifest.map { directory / $0 }
    options.maximumShardByteCount = test.shardByteCount
    let error = try #require(throws: CheckpointError.self) {
      try Conversion(options).tasks(
        for: test.inputs.map { directory / $0 }, to: test.destination.destination(in: directory))
    }
    #expect(error.code == test.code)
    #expect(error.description.contains(test.message))
  }
}

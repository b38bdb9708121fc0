import CkptBase
import CkptCheck
import CkptTestSupport
import Testing

@Suite("What is wrong with a checkpoint of OLMo's trainer is found, each thing once")
struct OLMoCheckTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// The start of each finding, and words that it contains.
    let findings: [(start: String, words: String)]
    let spoil: @Sendable (inout CheckScene) throws -> Void

    init(
      _ testDescription: String, _ start: String, _ words: String,
      _ spoil: @escaping @Sendable (inout CheckScene) throws -> Void
    ) {
      self.init(testDescription, [(start, words)], spoil)
    }

    init(
      _ testDescription: String, _ findings: [(start: String, words: String)],
      _ spoil: @escaping @Sendable (inout CheckScene) throws -> Void
    ) {
      self.testDescription = testDescription
      self.findings = findings
      self.spoil = spoil
    }
  }

  static let wte = "transformer.wte.weight"
  static let firstNorm = "transformer.blocks.0.attn_norm.weight"

  static let files = [
    Case("nothing wrong", []) { _ in },
    Case("no model", "problem files model.pt", "missing") { $0.files["model.pt"] = .some(nil) },
    Case("no optimizer", "problem files optim.pt", "missing") {
      $0.files["optim.pt"] = .some(nil)
    },
    Case("no trainer state", "problem files train.pt", "missing") {
      $0.files["train.pt"] = .some(nil)
    },
    Case("a trainer state without random numbers", "warning steps train.pt", "'rng'") {
      $0.trainer = ["global_step": 1000, "epoch": 0]
    },
    Case("no configuration", "problem files config.yaml", "missing") {
      $0.files["config.yaml"] = .some(nil)
    },
    Case("an older trainer state beside the new one", "note files other.pt", "'train.pt'") {
      $0.files["other.pt"] = [0]
    },
    Case("a save that was interrupted", "warning files step1000-unsharded-tmp", "interrupted") {
      $0.name += "-tmp"
    },
    Case("a model that is cut off", "problem content model.pt", "") {
      $0.files["model.pt"] = Array($0.model.dropLast(200))
    },
    Case("a web page for a model", "problem content model.pt", "") {
      $0.files["model.pt"] = Array("<!DOCTYPE html><html>Not found</html>".utf8)
    },
    Case("a model for a configuration", "problem content config.yaml", "tensors") {
      $0.files["config.yaml"] = $0.model
    },
    Case("a configuration that is no YAML", "problem configuration config.yaml", "") {
      $0.rest += "a: [1\n"
    },
    Case("fields that OLMo refuses together", "problem configuration config.yaml", "'alibi'") {
      $0.set("alibi", "true")
    },
    Case("the optimizer's state for the model's", "problem content model.pt", "optimizer") {
      $0.files["model.pt"] = $0.optimizer
    },
    Case("the model's state for the optimizer's", "problem content optim.pt", "model") {
      $0.files["optim.pt"] = $0.model
    },
    Case("the model's state for the trainer's", "problem content train.pt", "model") {
      $0.files["train.pt"] = $0.model
    },
    Case("a number among the tensors", "problem tensors model.pt", "'x' is 1") {
      let file = TorchFileBuilder()
      $0.files["model.pt"] = file.bytes(["w": file.tensor([2]), "x": 1])
    },
  ]

  static let tensors = [
    ofModel("a tensor is missing", "is missing") {
      $0.tensors.removeAll { $0.name == Self.firstNorm }
    },
    ofModel("a tensor too many", "'extra' with shape [3] is not part") {
      $0.tensors.append(("extra", [3]))
    },
    ofModel("a tensor of another shape", "has shape [15, 8]") { $0.setShape(Self.wte, [15, 8]) },
    ofModel("blocks are missing", "1 block is missing") {
      $0.tensors.removeAll { $0.name.hasPrefix("transformer.blocks.1.") }
    },
    ofModel("blocks too many", "1 block is too many") { scene in
      scene.tensors += scene.tensors.filter { $0.name.hasPrefix("transformer.blocks.1.") }
        .map { ($0.name.replacing("blocks.1.", with: "blocks.2."), $0.shape) }
    },
    ofModel("a fault of several blocks is told once", "1 other block") {
      $0.tensors.removeAll { $0.name.hasSuffix("attn_norm.weight") }
    },
  ]

  /// A fault of the model, which the optimizer shares.
  private static func ofModel(
    _ testDescription: String, _ words: String,
    _ spoil: @escaping @Sendable (inout CheckScene) throws -> Void
  ) -> Case {
    Case(testDescription, "problem tensors model.pt", words) { scene in
      try spoil(&scene)
      scene.followModel()
    }
  }

  static let optimizers = [
    Case(
      "no parameter has a state parameter", "note optimizer optim.pt", "no parameter has a state"
    ) {
      $0.states = []
    },
    Case("a parameter in the groups twice", "problem optimizer optim.pt", "twice") {
      $0.grouped.append(Self.wte)
    },
    Case(
      "a parameter in no group",
      [
        ("problem optimizer optim.pt", "in no param group"),
        ("problem optimizer optim.pt", "with a state, but in no param group"),
      ]
    ) {
      $0.grouped.removeAll { $0 == Self.wte }
    },
    Case(
      "a parameter that the model does not have",
      [
        ("problem optimizer optim.pt", "not in the model"),
        ("problem optimizer optim.pt", "without a state"),
      ]
    ) {
      $0.grouped.append("extra")
    },
    Case("a parameter without a state", "problem optimizer optim.pt", "without a state") {
      $0.states.removeFirst()
    },
    Case("a moment in another shape", "problem optimizer optim.pt", "exp_avg has [3]") {
      $0.states[0].fields[0].shape = [3]
    },
    Case("a moment that is missing", "problem optimizer optim.pt", "without exp_avg_sq") {
      $0.states[0].fields.remove(at: 1)
    },
    Case("moments of another optimizer", "warning optimizer optim.pt", "max_exp_avg_sq") {
      for index in $0.states.indices {
        $0.states[index].fields.append(("max_exp_avg_sq", $0.states[index].fields[0].shape))
      }
    },
    Case("an object that is no optimizer's state", "problem optimizer optim.pt", "'param_groups'") {
      $0.files["optim.pt"] = TorchFileBuilder().bytes(["a": 1])
    },
    Case("a step that is not a whole number", "problem optimizer optim.pt", "not a whole number") {
      $0.stepsOfParameters[Self.wte] = 0.5
    },
  ]

  static let steps = [
    Case("the trainer's state of another step", "problem steps train.pt", "global_step is 999") {
      $0.trainer = ["global_step": 999, "rng": [:]]
    },
    Case("a trainer's state without a step", "problem steps train.pt", "'global_step' is missing") {
      $0.trainer = ["epoch": 0]
    },
    Case("an optimizer of another step", "problem steps optim.pt", "has made 900 steps") {
      $0.step = 900
    },
    Case("an optimizer that may count anew", "note steps optim.pt", "has made 900 steps") {
      $0.step = 900
      $0.rest += "reset_optimizer_state: true\n"
    },
    Case("moments of several steps", "problem steps optim.pt", "different step counts: 900, 1000") {
      $0.stepsOfParameters[Self.wte] = 900
    },
    Case("a directory that tells no step", []) { $0.name = "latest-unsharded" },
  ]

  @Test("Each fault is a finding of its kind", arguments: files + tensors + optimizers + steps)
  func finds(_ test: Case) throws {
    var scene = try CheckScene()
    try test.spoil(&scene)
    let (lines, check) = try scene.check()
    #expect(lines.count == test.findings.count, "\(lines)")
    for (line, finding) in zip(lines, test.findings) {
      #expect(line.hasPrefix("\(finding.start): "))
      #expect(line.contains(finding.words))
    }
    #expect(check.isSound == !test.findings.contains { $0.start.hasPrefix("problem") })
  }

  @Test("What was examined is told")
  func examined() throws {
    let (_, check) = try CheckScene().check()
    let count = try CheckScene().tensors.count
    #expect(
      check.examined.prefix(3) == [
        "\(count) tensors against config.yaml", "the optimizer state of \(count) parameters",
        "step 1000",
      ])
    #expect(check.loads == nil)
  }

  @Test("Numbers that are not finite are searched on request")
  func values() throws {
    var scene = try CheckScene()
    scene.values[Self.firstNorm] = [1, .nan, .infinity, 0, 0, 0, 0, -.infinity]
    #expect(try scene.check().lines == [])
    var options = CheckOptions()
    options.searchesValues = true
    let (lines, check) = try scene.check(options)
    #expect(
      lines == ["problem values model.pt: '\(Self.firstNorm)' has 1 NaN and 2 infinite values"])
    #expect(check.examined.last?.hasSuffix("for NaN and infinity") == true)
  }

  @Test("A record that is damaged is named, whichever it is", arguments: [0, 5])
  func damage(_ number: Int) throws {
    var scene = try CheckScene()
    let name = scene.tensors[number].name
    scene.values[name] = Array(repeating: 1234.5, count: scene.tensors[number].shape.reduce(1, *))
    var bytes = scene.model
    let mark: [UInt8] = [0x00, 0x50, 0x9a, 0x44]
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: mark) })
    bytes[place] ^= 1
    scene.files["model.pt"] = bytes
    let (lines, _) = try scene.check()
    #expect(lines.count == 1)
    #expect(lines[0].hasPrefix("problem content model.pt: archive/data/\(number): "))
  }

  struct Place: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var directories: [String] = []
    var files: [String] = []
    let words: String
  }

  static let places = [
    Place(testDescription: "nothing", words: "this directory has no checkpoint"),
    Place(
      testDescription: "a run", directories: ["step9-unsharded", "step10-unsharded", "step11-tmp"],
      files: ["config.yaml"], words: "such as '/step10-unsharded'"),
    Place(testDescription: "old shards", files: ["rank0.pt"], words: "(torch_legacy)"),
    Place(
      testDescription: "shards of FSDP", directories: ["model_and_optim"], files: ["config.yaml"],
      words: "(torch_new)"),
    Place(
      testDescription: "OLMo-core", directories: ["model_and_optim"],
      words: "OLMo-core checkpoint"),
    Place(
      testDescription: "shards of OLMo-core's kind", directories: ["model"],
      files: ["model/metadata.json"], words: "(olmo_core"),
    Place(
      testDescription: "local shards", directories: ["model"], files: ["model/rank0.pt"],
      words: "(local)"),
  ]

  @Test("A directory that is no checkpoint is called what it is", arguments: places)
  func namesPlaces(_ test: Place) throws {
    let directory = try TemporaryDirectory()
    for name in test.directories { _ = try Syscalls.makeDirectories(directory / name) }
    for name in test.files { try directory.write([0], to: name) }
    let (_, check) = try CheckScene.check(directory.path)
    let finding = try #require(check.findings.first)
    #expect(check.findings.count == 1)
    #expect(finding.severity == .problem)
    let text = String(describing: finding).replacing(directory.path, with: "")
    #expect(text.contains(test.words), "\(text)")
  }
}

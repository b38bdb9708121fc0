import CkptBase
import CkptCheck
import CkptCopy
import CkptFormats
import CkptModels
import CkptTestSupport

/// A sound checkpoint of OLMo's trainer that a test spoils before it is written and checked.
struct CheckScene {
  /// The directory's name.
  var name = "step1000-unsharded"
  /// The fields of the configuration's `model:` section.
  var fields = [
    "d_model: 8", "n_heads: 2", "n_layers: 2", "mlp_hidden_size: 16", "rope: true",
    "include_bias: false", "layer_norm_type: rms", "attention_layer_norm: true",
    "norm_after: true", "weight_tying: false", "max_sequence_length: 16", "vocab_size: 12",
    "embedding_size: 16", "eos_token_id: 1", "pad_token_id: 2",
  ]
  /// The rest of the configuration.
  var rest = "optimizer:\n  name: adamw\n"
  /// The tensors of the model.
  var tensors: [(name: String, shape: [Int])]
  /// The numbers of tensors that are not zero.
  var values: [String: [Float]] = [:]
  /// The parameters in the optimizer's group.
  var grouped: [String]
  /// The parameters that have a state, with its fields and their shapes.
  var states: [(name: String, fields: [(name: String, shape: [Int])])]
  /// The number of optimizer steps, with exceptions per parameter.
  var step: Float = 1000
  var stepsOfParameters: [String: Float] = [:]
  /// The state of the trainer.
  var trainer: PickledValue = ["global_step": 1000, "epoch": 0, "rng": ["python": .none]]
  /// Files that are written in place of others or beside them; those that are `nil` are left out.
  var files: [String: [UInt8]?] = [:]

  /// A checkpoint with nothing wrong in it.
  init() throws {
    (tensors, grouped, states) = ([], [], [])
    tensors = try TensorMap(of: configuration().model).olmo.map { ($0.name, $0.shape) }
    followModel()
  }

  /// Gives the optimizer a state for each of the model's tensors, and no other.
  mutating func followModel() {
    grouped = tensors.map(\.name)
    states = tensors.map {
      ($0.name, [("exp_avg", $0.shape), ("exp_avg_sq", $0.shape), ("step", [])])
    }
  }

  /// The configuration's text.
  var text: String { "model:\n" + fields.map { "  \($0)\n" }.joined() + rest }

  func configuration() throws -> OLMoConfig { try OLMoConfig(reading: Array(text.utf8)) }

  /// Sets a field of the model, or the shape of a tensor.
  mutating func set(_ field: String, _ value: String) {
    fields.removeAll { $0.hasPrefix("\(field):") }
    fields.append("\(field): \(value)")
  }

  mutating func setShape(_ name: String, _ shape: [Int]) {
    for index in tensors.indices where tensors[index].name == name { tensors[index].shape = shape }
  }

  /// The model's file.
  var model: [UInt8] {
    let file = TorchFileBuilder()
    var entries: [PickledValue] = []
    for (name, shape) in tensors { entries += [.str(name), file.tensor(shape, values[name])] }
    return file.bytes(.dict(entries))
  }

  /// The optimizer's file.
  var optimizer: [UInt8] {
    let file = TorchFileBuilder()
    var entries: [PickledValue] = []
    for (name, fields) in states {
      var state: [PickledValue] = []
      for (field, shape) in fields {
        let steps = [stepsOfParameters[name] ?? step]
        state += [.str(field), file.tensor(shape, field == "step" ? steps : nil)]
      }
      entries += [.str(name), .dict(state)]
    }
    let group: PickledValue = ["lr": 0.5, "params": .list(grouped.map { .str($0) })]
    return file.bytes(["state": .dict(entries), "param_groups": [group]])
  }

  /// Writes the checkpoint and checks it.
  ///
  /// - Returns: the findings as `severity topic file: message`, and the check.
  func check(_ options: CheckOptions = CheckOptions()) throws -> (lines: [String], CheckpointCheck)
  {
    let directory = try TemporaryDirectory()
    _ = try Syscalls.makeDirectories(directory / name)
    var contents: [String: [UInt8]?] = [
      "config.yaml": Array(text.utf8), "model.pt": model, "optim.pt": optimizer,
      "train.pt": TorchFileBuilder().bytes(trainer),
    ]
    contents.merge(files) { $1 }
    for (file, bytes) in contents {
      if let bytes { try directory.write(bytes, to: "\(name)/\(file)") }
    }
    return try Self.check(directory / name, options)
  }

  /// Checks what is at a path.
  static func check(
    _ path: String, _ options: CheckOptions = CheckOptions()
  ) throws -> (lines: [String], CheckpointCheck) {
    let check = try CheckpointCheck(of: path, options)
    let lines = check.findings.map { finding in
      "\(finding.severity) \(finding.topic) \(FilePath(finding.path).name): \(finding.message)"
    }
    return (lines, check)
  }
}

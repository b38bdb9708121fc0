internal import CkptBase
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptYAML

/// Whether the parts of an OLMo checkpoint are of one step of training.
struct StepCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  /// The step that everything is of, as far as it is known.
  private(set) var step: Int?

  /// Compares the number in the directory's name with the trainer's and the optimizer's.
  ///
  /// - Parameters:
  ///   - directory: the directory's name, such as `step1000-unsharded`.
  ///   - trainer: the trainer's state.
  ///   - optimizer: the file of the optimizer's state, and the different numbers of steps in it.
  ///   - configuration: what tells whether the optimizer may have counted otherwise.
  init(
    directory: String, trainer: StateFile?, optimizer: (path: String, steps: [Int])?,
    _ configuration: OLMoConfig?
  ) {
    step = Self.step(inNameOf: directory)
    if let trainer, let graph = trainer.checkpoint?.graph {
      let recorded = graph.value(of: "global_step", in: graph.root).flatMap { graph.int($0) }
      if let recorded, let step, recorded != step {
        findings.append(
          Finding(
            .problem, .steps, at: trainer.path,
            "global_step is \(recorded), and the directory is of step \(step)",
            remedy: "find out which file is of which step; a resume goes on at \(recorded)"))
      }
      if let mixUp = StateKind.mixUp(graph, in: trainer.path, expected: .trainer) {
        findings.append(mixUp)
      } else if recorded == nil, graph.entries(of: graph.root)?.isEmpty != true {
        findings.append(
          Finding(
            .problem, .steps, at: trainer.path, "there is no 'global_step' in it",
            remedy: "this is no trainer state, or one of another program"))
      }
      step = step ?? recorded
    }
    if let optimizer { check(optimizer.steps, at: optimizer.path, configuration) }
  }

  private mutating func check(
    _ steps: [Int], at path: String, _ configuration: OLMoConfig?
  ) {
    guard steps.count <= 1 else {
      let numbers = steps.prefix(5).map(String.init).joined(separator: ", ")
      return findings.append(
        Finding(
          .problem, .steps, at: path,
          "the moments are of different steps: \(numbers)\(steps.count > 5 ? ", ..." : "")",
          remedy: "the file was put together from several"))
    }
    guard let found = steps.first, let step, found != step else { return }
    let mayDiffer = configuration.map { Self.countsAnew($0) } ?? false
    findings.append(
      Finding(
        mayDiffer ? .note : .problem, .steps, at: path,
        "the optimizer has made \(found) steps, and the checkpoint is of step \(step)",
        remedy: mayDiffer
          ? "the configuration lets a run begin with another count, so this can be right"
          : "the file may be of another step"))
  }

  /// Whether the configuration lets optimizer and trainer count from different steps
  /// (`TrainConfig` in `olmo/config.py`).
  private static func countsAnew(_ configuration: OLMoConfig) -> Bool {
    func value(_ name: String) -> YAMLScalar? { configuration.document[name]?.scalar }
    return value("reset_optimizer_state") == .bool(true)
      || value("reset_trainer_state") == .bool(true)
      || value("restore_dataloader") == .bool(false)
  }

  /// The number in a name such as `step1000-unsharded`.
  private static func step(inNameOf name: String) -> Int? {
    guard name.hasPrefix("step") else { return nil }
    let digits = name.dropFirst("step".count).prefix { $0.isASCII && $0.isNumber }
    return Int(digits)
  }
}

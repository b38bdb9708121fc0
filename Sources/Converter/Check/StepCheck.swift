internal import CkptBase
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptYAML

/// Checks that the parts of an OLMo checkpoint come from one training step.
struct StepCheck {
  /// The findings.
  private(set) var findings: [Finding] = []
  /// The step of the checkpoint, if it is known.
  private(set) var step: Int?

  /// Compares the step in the directory name with those of the trainer and the optimizer.
  ///
  /// - Parameters:
  ///   - directory: the name of the directory, such as `step1000-unsharded`.
  ///   - trainer: the trainer state.
  ///   - optimizer: the file of the optimizer state, and the different step counts in it.
  ///   - configuration: tells whether the optimizer can have another step count.
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
            "global_step is \(recorded), but the directory is named for step \(step)",
            remedy:
              "find out which files belong together; training would resume at step \(recorded)"))
      }
      if recorded != nil, graph.value(of: "rng", in: graph.root) == nil {
        findings.append(
          Finding(
            .warning, .steps, at: trainer.path, "there is no 'rng' in it",
            remedy: "a resume begins with other random numbers"))
      }
      if let mixUp = StateKind.mixUp(graph, in: trainer.path, expected: .trainer) {
        findings.append(mixUp)
      } else if recorded == nil, graph.entries(of: graph.root)?.isEmpty != true {
        findings.append(
          Finding(
            .problem, .steps, at: trainer.path, "'global_step' is missing",
            remedy: "this is not a trainer state, or another program wrote it"))
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
          "the parameters have different step counts: \(numbers)\(steps.count > 5 ? ", ..." : "")",
          remedy: "the file was probably merged from several"))
    }
    guard let found = steps.first, let step, found != step else { return }
    let mayDiffer = configuration.map { Self.countsAnew($0) } ?? false
    findings.append(
      Finding(
        mayDiffer ? .note : .problem, .steps, at: path,
        "the optimizer has made \(found) steps, but the checkpoint is from step \(step)",
        remedy: mayDiffer
          ? "this can be right, because the configuration allows a run to start with another count"
          : "the file probably belongs to another step"))
  }

  /// Whether the configuration allows optimizer and trainer to have different step counts
  /// (`TrainConfig` in `olmo/config.py`).
  private static func countsAnew(_ configuration: OLMoConfig) -> Bool {
    func value(_ name: String) -> YAMLScalar? { configuration.document[name]?.scalar }
    return value("reset_optimizer_state") == .bool(true)
      || value("reset_trainer_state") == .bool(true)
      || value("restore_dataloader") == .bool(false)
  }

  /// Returns the number in a name such as `step1000-unsharded`.
  private static func step(inNameOf name: String) -> Int? {
    guard name.hasPrefix("step") else { return nil }
    let digits = name.dropFirst("step".count).prefix { $0.isASCII && $0.isNumber }
    return Int(digits)
  }
}

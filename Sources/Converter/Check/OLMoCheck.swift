internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptYAML

/// Checks a checkpoint directory of OLMo's trainer.
struct OLMoCheck {
  /// The state of the check.
  private(set) var record = CheckRecord()

  private let place: FilePath
  /// The name of the directory, which contains the step.
  private let name: String
  private let options: CheckOptions

  /// - Throws: `inputOutput` if the system cannot tell the name of the directory.
  init(of place: FilePath, _ options: CheckOptions) throws(CheckpointError) {
    self.place = place
    name = try place.ownName()
    self.options = options
    record.reading = options.reading
  }

  /// Checks everything but tensor data.
  ///
  /// - Throws: `inputOutput` if the system fails.
  mutating func run() throws(CheckpointError) {
    checkName()
    let configuration = try readConfiguration()
    let model = try read("model", need: "it holds the weights")
    let optimizer = try read(
      "optim", need: "resuming needs it", remedy: .action(.fetchOptimizer))
    let trainer = try read(
      OLMoDirectory.trainer, orOlder: "other",
      need: "the trainer needs it", remedy: .action(.fetchTrainerState))
    if optimizer == nil, let trainer { acceptStart(with: trainer) }
    let shapes = checkModel(model, configuration)
    let steps = try checkOptimizer(optimizer, shapes, configuration)
    checkPrecision(model, optimizer)
    let step = StepCheck(directory: name, trainer: trainer, optimizer: steps, configuration)
    record.findings += step.findings
    if let step = step.step { record.examined.append("step \(step)") }
    guard let consumer = options.consumer else { return }
    var loading = LoadingCheck(for: consumer)
    try loading.check(olmoDirectory: place, named: name, record.files, configuration)
    record.findings += loading.findings
  }

  /// Warns about an interrupted save.
  ///
  /// A save goes to a directory that is renamed at its end (`olmo/checkpoint.py`).
  private mutating func checkName() {
    guard name.hasSuffix("-tmp") else { return }
    record.findings.append(
      Finding(
        .warning, .files, at: place.text, "the name is that of an interrupted save",
        remedy: "check that all files are present before you use it"))
  }

  // MARK: Files

  private mutating func read(
    _ state: String, orOlder older: String? = nil, need: String,
    remedy: Remedy = "download it again"
  ) throws(CheckpointError) -> StateFile? {
    var found: [String] = []
    for name in [state, older].compactMap(\.self) {
      found += try OLMoDirectory.files(of: name, in: place)
    }
    guard let path = found.first else {
      record.findings.append(
        Finding(
          .problem, .files, at: place.appending("\(state).pt").text, "the file is missing: \(need)",
          remedy: remedy))
      return nil
    }
    for other in found.dropFirst() {
      record.findings.append(
        Finding(
          .note, .files, at: other, "not used: the trainer reads '\(FilePath(path).name)' instead"))
    }
    return open(path)
  }

  /// Accepts a missing optimizer state beside an empty state of the trainer: both begin anew, as in a
  /// directory that was made from a Hugging Face model.
  private mutating func acceptStart(with trainer: StateFile) {
    guard let graph = trainer.checkpoint?.graph, graph.entries(of: graph.root)?.isEmpty == true
    else { return }
    let path = place.appending("optim.pt").text
    record.findings.removeAll { $0.path == path && $0.topic == .files }
    record.findings.append(
      Finding(
        .note, .files, at: path, "there is no optimizer state, and the trainer's state is empty",
        remedy: "start OLMo's trainer with reset_optimizer_state and reset_trainer_state"))
  }

  private mutating func open(_ path: String) -> StateFile {
    do throws(CheckpointError) {
      let file = StateFile(path: path, checkpoint: try record.read(path))
      checkLayout(file)
      return file
    } catch {
      record.note(error, keptFromReading: path)
      return StateFile(path: path, checkpoint: nil)
    }
  }

  /// The trainer takes a safetensors file before the .pt file, and knows one layout.
  private mutating func checkLayout(_ file: StateFile) {
    guard options.consumer != .olmo,
      let description = file.checkpoint?.container as? SafetensorsDescription,
      description.layout != .olmo
    else { return }
    record.findings.append(
      Finding(
        .warning, .files, at: file.path,
        "its layout is '\(description.layout.rawValue)', and OLMo's trainer, which takes it before the "
          + ".pt file, reads the layout 'olmo' only",
        remedy: .action(.useOLMoLayout)))
  }

  private mutating func readConfiguration() throws(CheckpointError) -> OLMoConfig? {
    let file = place.appending(OLMoDirectory.configuration)
    if let problem = try ConfigurationFile.problem(
      at: file, need: "conversions and OLMo.from_checkpoint need it")
    {
      record.findings.append(problem)
      return nil
    }
    do throws(CheckpointError) {
      return try OLMoConfig(path: file.text)
    } catch {
      noteConfiguration(error)
      return nil
    }
  }

  private mutating func noteConfiguration(_ error: CheckpointError) {
    let path = place.appending(OLMoDirectory.configuration).text
    var finding = Finding(error, .configuration, at: path)
    if finding.remedy == nil { finding.remedy = "fix it, or download the file again" }
    record.findings.append(finding)
  }

  // MARK: What belongs together

  /// Checks the model.
  ///
  /// Returns the shapes of its tensors by name, if they could be read.
  private mutating func checkModel(
    _ file: StateFile?, _ configuration: OLMoConfig?
  ) -> [ExactString: [Int]]? {
    guard let file, let graph = file.checkpoint?.graph else { return nil }
    if let mixUp = StateKind.mixUp(graph, in: file.path, expected: .model) {
      record.findings.append(mixUp)
      return nil
    }
    do throws(CheckpointError) {
      let tensors = try NamedTensors(olmo: graph, groupSize: 1)
      if let outline = configuration.flatMap({ self.outline($0) }) {
        record.findings += ModelCheck(tensors, of: graph, at: file.path, by: outline).findings
        record.examined.append("\(tensors.entries.count) tensors against config.yaml")
      }
      return Dictionary(
        uniqueKeysWithValues: tensors.shapes(in: graph).map { (ExactString($0.name), $0.shape) })
    } catch {
      record.findings.append(Finding(error, .tensors, at: file.path))
      return nil
    }
  }

  /// A trainer keeps weights and moments in one type.
  private mutating func checkPrecision(_ model: StateFile?, _ optimizer: StateFile?) {
    guard let model, let optimizer, let weights = Self.onlyDType(of: model),
      let moments = Self.onlyDType(of: optimizer), weights != moments, moments == .float32,
      weights == .bfloat16 || weights == .float16
    else { return }
    record.findings.append(
      Finding(
        .warning, .tensors, at: model.path,
        "the weights are \(weights.name), and the optimizer's state is \(moments.name)",
        remedy: "the weights were cast; to continue training take those of the trainer"))
  }

  /// The dtype of all tensors of a file with more than one dimension, or `nil` for several.
  private static func onlyDType(of file: StateFile) -> DType? {
    guard let tensors = file.checkpoint?.graph.tensors else { return nil }
    let dtypes = Set(tensors.lazy.filter { $0.shape.count > 1 }.map(\.dtype))
    return dtypes.count == 1 ? dtypes.first : nil
  }

  private mutating func outline(_ configuration: OLMoConfig) -> ModelOutline? {
    do throws(CheckpointError) {
      return try ModelOutline(configuration.model)
    } catch {
      noteConfiguration(error)
      return nil
    }
  }

  private mutating func checkOptimizer(
    _ file: StateFile?, _ shapes: [ExactString: [Int]]?, _ configuration: OLMoConfig?
  ) throws(CheckpointError) -> (path: String, steps: [Int])? {
    guard let file, let graph = file.checkpoint?.graph else { return nil }
    let name = configuration?.document["optimizer"]?.mapping?["name"]?.scalar?.description
    let check = try OptimizerCheck(graph, at: file.path, model: shapes, optimizer: name)
    record.findings += check.findings
    record.examined.append(
      "the optimizer state of " + check.parameterCount.pluralized("parameter"))
    return (file.path, check.steps)
  }
}

/// The kind of state in a file, judged by its top level.
enum StateKind: String {
  /// Tensors by name.
  case model = "a model state"
  /// Moments and groups of parameters.
  case optimizer = "an optimizer state"
  /// The position of a run in its data.
  case trainer = "a trainer state"

  /// Recognizes the state in `graph`; `nil` for anything else.
  init?(of graph: TensorGraph) {
    guard let entries = graph.entries(of: graph.root) else { return nil }
    if OptimizerState.isState(graph) {
      self = .optimizer
    } else if graph.value(of: "global_step", in: graph.root) != nil {
      self = .trainer
    } else if !entries.isEmpty,
      entries.allSatisfy({ entry in
        guard case .tensor = graph[entry.value] else { return false }
        // A flat file of an optimizer state has only tensors, too.
        return graph.string(entry.key)?.hasPrefix("\(OptimizerState.stateKey).") == false
      })
    {
      self = .model
    } else {
      return nil
    }
  }

  /// Returns the finding for a file with another kind of state than its name says; `nil` if they
  /// agree.
  static func mixUp(_ graph: TensorGraph, in path: String, expected: StateKind) -> Finding? {
    guard let kind = StateKind(of: graph), kind != expected else { return nil }
    return Finding(
      .problem, .content, at: path, "this is \(kind.rawValue), not \(expected.rawValue)",
      remedy: "the file has the wrong name or content; rename it, or download the right one")
  }
}

internal import CkptBase
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptYAML

/// The parts of a checkpoint that there are statistics of, and what the other files say of it.
struct StatisticsSources {
  /// A part of the checkpoint with the file that has it.
  struct Source {
    let path: String
    var checkpoint: Checkpoint
  }

  private(set) var model: Source?
  private(set) var optimizer: Source?
  /// The files that were opened.
  private(set) var files: [String] = []
  private(set) var step: Int?
  /// The losses that the trainer remembers.
  private(set) var losses = RunMetrics()
  private(set) var settings = ConfiguredSettings()
  private(set) var warnings: [String] = []
  private let reading: ReadingOptions

  /// Opens what there is at `path`, as far as it belongs to `part`.
  ///
  /// - Throws: what ``CheckpointFile/read(_:_:)-(String,_)`` throws.
  init(
    of path: String, _ part: CheckpointStatistics.Part?, _ reading: ReadingOptions
  ) throws(CheckpointError) {
    self.reading = reading
    let place = FilePath(path)
    guard let status = try place.status() else { throw .missing(path) }
    guard status.isDirectory else {
      try readAny(path)
      step = CheckpointStatistics.step(inNameOf: try place.directory.ownName())
      readConfiguration(in: place.directory)
      return
    }
    let members = try CheckpointMembers(of: path)
    guard !members.isWholeDirectory else {
      try readParts(of: place, part)
      readConfiguration(in: place)
      if step == nil { step = CheckpointStatistics.step(inNameOf: try place.ownName()) }
      return
    }
    readConfiguration(in: place)
    if part != .optim, let model = members.state(named: "model") {
      self.model = try read(model.path)
    }
    if part != .model, let optimizer = try Self.optimizer(among: members) {
      self.optimizer = try read(optimizer)
    }
    if let trainer = members.state(named: OLMoDirectory.trainer) { readTrainer(trainer.path) }
    if step == nil { step = CheckpointStatistics.step(inNameOf: try place.ownName()) }
  }

  /// Opens a file, which is of an optimizer if it looks like it.
  private mutating func readAny(_ path: String) throws(CheckpointError) {
    let source = try read(path)
    if Self.isOptimizer(source.checkpoint.graph) { optimizer = source } else { model = source }
  }

  /// Opens a directory that has model, optimizer and trainer together.
  private mutating func readParts(
    of place: FilePath, _ part: CheckpointStatistics.Part?
  ) throws(CheckpointError) {
    var whole = try read(place.text)
    for (name, root) in try StateDictParts.split(&whole.checkpoint.graph) {
      var source = whole
      source.checkpoint.graph.root = root
      if StateDictParts.isOptimizer(name) || Self.isOptimizer(source.checkpoint.graph) {
        if part != .model { optimizer = source }
      } else if name == StateDictParts.model, part != .optim {
        model = source
      }
    }
    let trainer = place.appending(OLMoDirectory.firstTrainer)
    if try trainer.status() != nil { readTrainer(trainer.text) }
  }

  private mutating func read(_ path: String) throws(CheckpointError) -> Source {
    let checkpoint = try CheckpointFile.read(path, reading)
    files += try ModelFolder.files(of: path)
    warnings += checkpoint.warnings.map { "\(path): \($0)" }
    return Source(path: path, checkpoint: checkpoint)
  }

  private static func optimizer(among members: CheckpointMembers) throws(CheckpointError) -> String?
  {
    if let state = members.state(named: "optim") { return state.path }
    let file = members.path.appending(HuggingFaceFolder.optimizer)
    return try file.status() == nil ? nil : file.text
  }

  /// Whether the first level is that of an optimizer's state dict, or of a flat file of one.
  private static func isOptimizer(_ graph: TensorGraph) -> Bool {
    if OptimizerState.isState(graph) { return true }
    let prefix = OptimizerState.stateKey + "."
    return graph.entries(of: graph.root)?.contains { entry in
      guard let key = graph.string(entry.key) else { return false }
      return key.hasPrefix(prefix) && key.hasSuffix("." + OptimizerTensors.first)
    } ?? false
  }

  /// Reads the step; a trainer's state that cannot be read keeps no tensor from being measured.
  private mutating func readTrainer(_ path: String) {
    do throws(CheckpointError) {
      let graph = try CheckpointFile.read(path, reading).graph
      step = graph.value(of: "global_step", in: graph.root).flatMap { graph.int($0) }
      if let step { losses = RunMetrics(rememberedIn: graph, until: step) }
      if !files.contains(path) { files.append(path) }
    } catch {
      warnings.append("the step is not known from it: \(error)")
    }
  }

  private mutating func readConfiguration(in directory: FilePath) {
    do throws(CheckpointError) {
      guard let found = try ConfiguredSettings(in: directory) else { return }
      settings = found
      if !files.contains(found.path) { files.append(found.path) }
    } catch {
      warnings.append("the configuration is not used: \(error)")
    }
  }
}

extension CheckpointStatistics {
  /// The text before the step in the names of checkpoints: of OLMo's trainer, of `transformers`, of
  /// DeepSpeed and of Megatron.
  private static let stepPrefixes = ["step", "checkpoint-", "global_step", "iter_"]

  /// The step that the name of a directory or file tells, such as `step1000-unsharded`.
  package static func step(inNameOf name: String) -> Int? {
    for prefix in stepPrefixes where name.hasPrefix(prefix) {
      let digits = name.dropFirst(prefix.count).prefix { $0.isASCII && $0.isNumber }
      if let step = Int(digits) { return step }
    }
    return nil
  }
}

/// Settings of a run that statistics are judged by, from `config.yaml` or `config.json`.
struct ConfiguredSettings {
  private(set) var path = ""
  private(set) var vocabularySize: Int?
  private(set) var gradientLimit: Double?
  private(set) var optimizer: String?
  /// The settings of the optimizer, for files that do not have them.
  private(set) var defaults = OptimizerSettings()

  /// Settings of which nothing is known.
  init() {}

  /// The settings that the configuration in `directory` has; `nil` without one.
  ///
  /// - Throws: what is wrong with the file.
  init?(in directory: FilePath) throws(CheckpointError) {
    let olmo = directory.appending(OLMoDirectory.configuration)
    let huggingFace = directory.appending(HuggingFaceFolder.configuration)
    if try OLMoDirectory.isCheckpoint(directory) {
      path = olmo.text
      let configuration = try OLMoConfig(path: olmo.text)
      vocabularySize = configuration.model.vocabularySize
      read(configuration.document)
    } else if try huggingFace.status()?.isRegular == true {
      path = huggingFace.text
      let configuration = try HuggingFaceConfig(path: huggingFace.text)
      vocabularySize = configuration["vocab_size"]?.scalar?.integer
      readCore(configuration.members)
    } else {
      return nil
    }
  }

  private mutating func read(_ document: YAMLMapping) {
    gradientLimit = document["max_grad_norm"]?.scalar?.number
    guard let section = document["optimizer"]?.mapping else { return }
    readOptimizer(section, named: "name")
  }

  /// Reads the configuration of OLMo-core, which has the file name of `transformers`
  /// (`olmo_core/train/callbacks/config_saver.py`).
  private mutating func readCore(_ document: YAMLMapping) {
    guard let module = document["train_module"]?.mapping else { return }
    gradientLimit = module["max_grad_norm"]?.scalar?.number
    let tokenizer = document["dataset"]?.mapping?["tokenizer"]?.mapping
    vocabularySize = tokenizer?["vocab_size"]?.scalar?.integer ?? vocabularySize
    if let section = module["optim"]?.mapping { readOptimizer(section, named: "type") }
  }

  private mutating func readOptimizer(_ section: YAMLMapping, named key: String) {
    if case .string(let name) = section[key]?.scalar { optimizer = name }
    let betas = section["betas"]?.sequence?.compactMap(\.scalar?.number) ?? []
    if betas.count == 2 { (defaults.beta1, defaults.beta2) = (betas[0], betas[1]) }
    defaults.epsilon = section["eps"]?.scalar?.number
    defaults.weightDecay = section["weight_decay"]?.scalar?.number
  }
}

extension YAMLScalar {
  /// The integer that the value is.
  fileprivate var integer: Int? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// The number that the value is.
  fileprivate var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .null, .bool, .string: nil
    }
  }
}

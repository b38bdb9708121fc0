internal import CkptBase
internal import CkptCheckpoints
internal import CkptGraph
internal import CkptModels
internal import CkptYAML

/// The files of a step that are copied beside the distributed checkpoint, so that a trainer continues.
struct CarriedFiles {
  /// The names in the output, and the sources.
  private(set) var files: [(name: String, source: String)] = []
  /// Sentences about files that are not copied, or copied in part.
  private(set) var notes: [String] = []
  /// Whether the distributed checkpoint is in a folder of the output, with the trainer state beside.
  private(set) var inner: Bool

  /// Finds the files of `input` that `target` needs.
  ///
  /// - Throws: `inputOutput` if the system fails.
  init(of input: FilePath, for target: ReshardTarget) throws(CheckpointError) {
    inner = target == .olmo
    guard try input.status()?.isDirectory == true else { return }
    let trainers = [OLMoDirectory.firstTrainer, "\(OLMoDirectory.trainer).pt"]
    let trainer = try FilePath.existing(trainers, in: input).first
    guard target.takesTrainerState else {
      if let trainer {
        notes.append(
          "\(trainer) was not included: its random states and counters are not part of a "
            + "distributed checkpoint")
      }
      return
    }
    var names = [OLMoDirectory.configuration]
    if target == .olmoCore {
      names = [OLMoCoreDirectory.stepMetadata, OLMoCoreDirectory.configuration, "data_paths.txt"]
      let hasMetadata = try input.appending(OLMoCoreDirectory.stepMetadata).status() != nil
      inner = hasMetadata && trainer != nil
      if !inner {
        notes.append(
          "the input has no trainer state of OLMo-core: its trainer starts at step 1 with these "
            + "weights and this optimizer state")
        names = []
      }
    }
    if inner, let trainer {
      files.append((OLMoDirectory.firstTrainer, trainer))
      notes.append(
        "every rank continues from the trainer state of rank 0; random states are restored only at "
          + "the number of ranks that saved them")
    }
    for name in names where try input.appending(name).status() != nil {
      files.append((name, input.appending(name).text))
    }
  }
}

/// The learning rate at the peak of a schedule.
enum PeakRate {
  /// Returns the rate in the configuration of OLMo's trainer; `nil` for an input without one.
  ///
  /// - Throws: `malformed` for a configuration that cannot be read.
  static func read(from input: FilePath) throws(CheckpointError) -> Double? {
    let path = input.appending(OLMoDirectory.configuration)
    guard try input.status()?.isDirectory == true, try path.status()?.isRegular == true else {
      return nil
    }
    let optimizer = try OLMoConfig(path: path.text).document["optimizer"]?.mapping
    switch optimizer?["learning_rate"]?.scalar {
    case .number(let rate): return rate
    case .integer(let rate): return Double(rate)
    default: return nil
    }
  }
}

/// The names of a model's tensors without those of wrappers, as `get_model_state_dict` gives them.
enum ModelNames {
  /// Returns the state dict with other keys, or the same one where no name has a wrapper.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  static func clean(
    _ model: NodeID, in graph: inout TensorGraph
  ) throws(CheckpointError) -> NodeID {
    var entries = graph.entries(of: model) ?? []
    var changes = false
    for index in entries.indices {
      guard let name = graph.string(entries[index].key) else { continue }
      let clean = ParameterName(name).clean
      guard clean != name else { continue }
      entries[index].key = try graph.addString(clean)
      changes = true
    }
    return changes ? try graph.addDict(entries) : model
  }

  /// Checks that the names are not those of OLMo's trainer.
  ///
  /// - Throws: `unsupported` if they are.
  static func requireOLMoCore(_ model: NodeID, in graph: TensorGraph) throws(CheckpointError) {
    for (key, _) in graph.entries(of: model) ?? [] {
      guard let name = graph.string(key), name.hasPrefix("transformer.") else { continue }
      throw CheckpointError(
        .unsupported, "'\(name)' is a name of OLMo's trainer, which OLMo-core does not know",
        remedy: "start from a checkpoint with the names of OLMo-core")
    }
  }
}

package import CkptBase
internal import CkptDistributed
internal import CkptFormats

/// The kind of a directory, judged by the names of its entries.
package enum DirectoryKind: Hashable {
  /// A checkpoint of OLMo's trainer with one file for each state.
  case olmo
  /// A model of `transformers`.
  case huggingFace
  /// A checkpoint of `torch.distributed.checkpoint`, with its name for messages.
  case distributed(String)
  /// Another checkpoint of several processes, with its name for messages.
  case sharded(String)
  /// The directory of a run with its configuration, and the name of one of its checkpoints.
  case run(step: String)
  /// Something else.
  case unknown

  /// Recognizes the directory at `place`.
  ///
  /// - Throws: `inputOutput` if it cannot be read.
  package init(of place: FilePath) throws(CheckpointError) {
    let names = Set(try place.entryNames())
    let isOLMo = names.contains(OLMoDirectory.configuration)
    if let sharded = try Self.sharded(names, place) {
      self = .sharded(sharded)
    } else if CheckpointFile.needsWholeDirectory(names) {
      self = .distributed(Self.distributed(names, isOLMo: isOLMo))
    } else if isOLMo, let step = Self.step(names) {
      self = .run(step: step)
    } else if isOLMo || !names.isDisjoint(with: CheckpointNames.olmo) {
      self = .olmo
    } else if names.contains(HuggingFaceFolder.configuration) {
      self = .huggingFace
    } else {
      self = try ModelFolder.weights(in: place.text) == nil ? .unknown : .huggingFace
    }
  }

  /// Returns the last checkpoint among `names`, if they include no file of a checkpoint.
  ///
  /// The trainer also writes its configuration beside the checkpoints.
  private static func step(_ names: Set<String>) -> String? {
    guard !CheckpointNames.holdsStates(names) else { return nil }
    return names.filter { $0.hasPrefix("step") && !$0.hasSuffix("-tmp") }
      .max { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
  }

  /// Recognizes the kinds of OLMo's `sharded_checkpointer` that have formats of their own
  /// (`olmo/checkpoint.py`).
  private static func sharded(
    _ names: Set<String>, _ place: FilePath
  ) throws(CheckpointError) -> String? {
    if names.contains(OLMoDirectory.firstRank) { return "sharded OLMo checkpoint (torch_legacy)" }
    if try place.appending("model").appending("metadata.json").status() != nil {
      return "sharded OLMo checkpoint (olmo_core)"
    }
    if try place.appending("model").appending(OLMoDirectory.firstRank).status() != nil {
      return "sharded OLMo checkpoint (local)"
    }
    return nil
  }

  /// Returns the name of a distributed checkpoint by its program.
  private static func distributed(_ names: Set<String>, isOLMo: Bool) -> String {
    guard names.contains(DistributedPlaces.inner) else {
      return "distributed checkpoint of PyTorch"
    }
    return isOLMo ? "sharded OLMo checkpoint (torch_new)" : "OLMo-core checkpoint"
  }
}

/// Tests on the names in a directory, before any file is opened.
package enum CheckpointNames {
  /// The file names that only OLMo's trainer uses; others write `model.safetensors` too.
  static let olmo: Set = [
    "model.pt", "optim.pt", "train.pt", "other.pt", "optim.safetensors", "train.safetensors",
  ]
  /// The names in sharded checkpoints of OLMo and `torch.distributed.checkpoint`.
  private static let sharded: Set = [
    OLMoDirectory.firstRank, DistributedPlaces.inner, DistributedPlaces.metadata,
  ]
  private static let states: Set = ["model.pt", "optim.pt", "optim.safetensors"]

  /// Whether the names include a model or an optimizer state, which can be converted.
  package static func holdsStates(_ names: Set<String>) -> Bool {
    !names.isDisjoint(with: states) || ModelFolder.holdsWeights(names)
  }

  /// Whether the names include any part of a checkpoint, such as the state of a trainer or one
  /// process.
  package static func holdsParts(_ names: Set<String>) -> Bool {
    holdsStates(names) || !names.isDisjoint(with: olmo) || !names.isDisjoint(with: sharded)
  }

  /// Whether the names include a configuration.
  ///
  /// Every checkpoint has one; OLMo's trainer also writes one into the directory of a run.
  package static func holdsConfiguration(_ names: Set<String>) -> Bool {
    !names.isDisjoint(with: CheckpointMembers.configurations)
  }
}

package import CkptBase
internal import CkptFormats

/// What a directory is, judged by the names in it.
package enum DirectoryKind: Hashable {
  /// A checkpoint of OLMo's trainer in one file for each state.
  case olmo
  /// A model as `transformers` saves it.
  case huggingFace
  /// A checkpoint of several processes, by the words that messages call it with.
  case sharded(String)
  /// The directory of a run with its configuration, and the name of a checkpoint in it.
  case run(step: String)
  /// Something else.
  case unknown

  /// What the directory at `place` is.
  ///
  /// - Throws: `inputOutput` when it cannot be read.
  package init(of place: FilePath) throws(CheckpointError) {
    let names = Set(try place.entryNames())
    let isOLMo = names.contains(OLMoDirectory.configuration)
    if let sharded = try Self.sharded(names, isOLMo: isOLMo, place) {
      self = .sharded(sharded)
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

  /// The last of the checkpoints among `names`, if there is none of the files that one has: the
  /// trainer leaves its configuration beside them as well.
  private static func step(_ names: Set<String>) -> String? {
    guard !CheckpointNames.holdsStates(names) else { return nil }
    return names.filter { $0.hasPrefix("step") && !$0.hasSuffix("-tmp") }
      .max { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
  }

  /// The kinds of OLMo's `sharded_checkpointer` and its successor (`olmo/checkpoint.py`), and what
  /// `torch.distributed.checkpoint` leaves.
  private static func sharded(
    _ names: Set<String>, isOLMo: Bool, _ place: FilePath
  ) throws(CheckpointError) -> String? {
    if names.contains("rank0.pt") { return "sharded checkpoint of OLMo, kind torch_legacy" }
    if names.contains("model_and_optim") {
      return isOLMo
        ? "sharded checkpoint of OLMo, kind torch_new" : "checkpoint of OLMo-core"
    }
    if try place.appending("model").appending("metadata.json").status() != nil {
      return "sharded checkpoint of OLMo, kind olmo_core"
    }
    if try place.appending("model").appending("rank0.pt").status() != nil {
      return "sharded checkpoint of OLMo, kind local"
    }
    guard names.contains(".metadata") else { return nil }
    return isOLMo
      ? "sharded checkpoint of OLMo, kind olmo_core (olmo-core 1.0 or later)"
      : "checkpoint of torch.distributed.checkpoint"
  }
}

/// What the names in a directory say of it, before anything in it is opened.
package enum CheckpointNames {
  /// What only OLMo's trainer calls its files; `model.safetensors` is everybody's.
  static let olmo: Set = [
    "model.pt", "optim.pt", "train.pt", "other.pt", "optim.safetensors", "train.safetensors",
  ]
  /// What OLMo's sharded checkpoints hold, and those of `torch.distributed.checkpoint`.
  private static let sharded: Set = ["rank0.pt", "model_and_optim", ".metadata"]
  private static let states: Set = ["model.pt", "optim.pt", "optim.safetensors"]

  /// Whether there are the files of a model or of an optimizer, which can be converted.
  package static func holdsStates(_ names: Set<String>) -> Bool {
    !names.isDisjoint(with: states) || ModelFolder.holdsWeights(names)
  }

  /// Whether there is a part of a checkpoint, if only the trainer's state or one process's part.
  package static func holdsParts(_ names: Set<String>) -> Bool {
    holdsStates(names) || !names.isDisjoint(with: olmo) || !names.isDisjoint(with: sharded)
  }

  /// Whether there is a configuration, as every checkpoint has one, and OLMo's trainer leaves one
  /// beside those of a run as well.
  package static func holdsConfiguration(_ names: Set<String>) -> Bool {
    !names.isDisjoint(with: CheckpointMembers.configurations)
  }
}

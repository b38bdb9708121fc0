internal import Formats

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

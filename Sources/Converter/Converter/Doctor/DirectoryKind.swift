internal import Bytes
internal import Formats

/// What a directory is, judged by the names in it.
enum DirectoryKind: Hashable {
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
  init(of place: FilePath) throws(FormatError) {
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
  ) throws(FormatError) -> String? {
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

internal import Bytes
internal import Formats
internal import Graph

/// One of the states in an OLMo checkpoint directory: where it is and what is in it.
struct StateFile {
  /// The file, or the one that the trainer would take of two.
  let path: String
  /// What is in it; `nil` where it could not be read.
  let checkpoint: Checkpoint?
}

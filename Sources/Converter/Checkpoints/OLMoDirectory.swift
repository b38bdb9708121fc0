package import CkptBase
internal import CkptFormats
package import CkptSkeleton

/// The files of an OLMo checkpoint directory (`olmo/checkpoint.py`).
package enum OLMoDirectory {
  /// The states that conversions convert.
  package static let states = ["model", "optim"]
  /// The trainer state, which the trainer needs as a pickle.
  package static let trainer = "train"
  /// The file of the first rank, in the directories of sharded states.
  package static let firstRank = "rank0.pt"
  /// The trainer state of the first rank, in a sharded step.
  package static let firstTrainer = "\(trainer)/\(firstRank)"
  /// The configuration, which conversions copy unchanged.
  package static let configuration = "config.yaml"
  /// The suffix of the directories that the trainer recognizes as unsharded checkpoints.
  package static let suffix = "-unsharded"

  /// Whether the trainer looks for a safetensors file with that name.
  package static func isStateName(_ name: String) -> Bool {
    (states + [trainer]).contains { name == "\($0).safetensors" }
  }

  /// Whether `directory` has an OLMo configuration: a `config.yaml` with a `model` section.
  ///
  /// - Throws: `inputOutput` if such a file cannot be read. Ignoring it would name tensors in a way
  ///   that the trainer does not expect.
  package static func isCheckpoint(_ directory: FilePath) throws(CheckpointError) -> Bool {
    let path = directory.appending(configuration)
    guard try path.status()?.isRegular == true else { return false }
    let file = try FileSource(path: path.text)
    let bytes = try file.bytes(in: 0..<sniffedByteCount)
    let text = String(decoding: bytes, as: UTF8.self)
    return text.split(separator: "\n").contains { $0.hasPrefix("model:") }
  }

  /// Returns the naming of tensors: `chosen`, otherwise that of the trainer in an OLMo directory.
  ///
  /// - Throws: `inputOutput` if the directory cannot be read.
  package static func layout(
    _ chosen: Layout?, in directory: FilePath
  ) throws(CheckpointError) -> Layout {
    if let chosen { return chosen }
    do throws(CheckpointError) {
      return try isCheckpoint(directory) ? .olmo : .plain
    } catch {
      var error = error
      error.remedy = .action(.chooseLayout)
      throw error
    }
  }

  /// Returns the files with one of the trainer's states, in its order of search: safetensors before
  /// `.pt` (`load_state_dict` in `olmo/checkpoint.py`).
  ///
  /// - Throws: `inputOutput` if the system fails.
  package static func files(of state: String, in directory: FilePath) throws(CheckpointError)
    -> [String]
  {
    try FilePath.existing(["\(state).safetensors", "\(state).pt"], in: directory)
  }

  /// Returns the file that the trainer loads for one of its states, or `nil` for none.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package static func file(of state: String, in directory: FilePath) throws(CheckpointError)
    -> String?
  {
    try files(of: state, in: directory).first
  }

  /// Returns the checkpoint files in `directory`, in the order model, optim, train.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package static func files(of directory: FilePath) throws(CheckpointError) -> [String] {
    var all: [String] = []
    for state in states + [trainer] { all += try files(of: state, in: directory) }
    return all
  }

  /// Returns the notice for an output directory whose name the trainer does not recognize
  /// (`olmo/checkpoint.py`); `nil` for other names.
  package static func nameNotice(_ directory: String) -> Notice? {
    guard !FilePath(directory).name.hasSuffix(suffix) else { return nil }
    return Notice(
      "OLMo's trainer recognizes an unsharded checkpoint only if the directory name ends in "
        + "'\(suffix)'; rename '\(directory)' before you load it")
  }

  /// The error for a directory without checkpoint files.
  package static func notACheckpoint(_ directory: FilePath) -> CheckpointError {
    CheckpointError(
      .unsupported, "this directory has no model file and no optim file",
      remedy: "pass the directory of one step, such as 'step1000-unsharded', or a file"
    ).framed(by: directory.text)
  }

  private static let sniffedByteCount = 1 << 20
}

package import CkptBase
internal import CkptFormats
package import CkptSkeleton

/// The files of an OLMo checkpoint directory (`olmo/checkpoint.py`).
package enum OLMoDirectory {
  /// The state dicts that conversions are about.
  package static let states = ["model", "optim"]
  /// The trainer's own state, which it wants as a pickle.
  package static let trainer = "train"
  /// What is carried along as it is.
  package static let configuration = "config.yaml"
  /// How the name of a directory ends that the trainer takes for an unsharded checkpoint.
  package static let suffix = "-unsharded"

  /// Whether the trainer looks for a safetensors file of that name.
  package static func isStateName(_ name: String) -> Bool {
    (states + [trainer]).contains { name == "\($0).safetensors" }
  }

  /// Whether `directory` has an OLMo configuration: a `config.yaml` with a `model` section.
  ///
  /// - Throws: `inputOutput` when there is a file of that name that cannot be read: to take the
  ///   directory for another one would name tensors as the trainer does not expect them.
  package static func isCheckpoint(_ directory: FilePath) throws(CheckpointError) -> Bool {
    let path = directory.appending(configuration)
    guard try path.status()?.isRegular == true else { return false }
    let file = try FileSource(path: path.text)
    let bytes = try file.bytes(in: 0..<sniffedByteCount)
    let text = String(decoding: bytes, as: UTF8.self)
    return text.split(separator: "\n").contains { $0.hasPrefix("model:") }
  }

  /// How tensors are named: as `chosen`, and otherwise in an OLMo directory as its trainer does.
  ///
  /// - Throws: `inputOutput` when it cannot be told.
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

  /// The files that have one of the trainer's states, in the order in which it looks for them:
  /// safetensors before `.pt` (`load_state_dict` in `olmo/checkpoint.py`).
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package static func files(of state: String, in directory: FilePath) throws(CheckpointError)
    -> [String]
  {
    try FilePath.existing(["\(state).safetensors", "\(state).pt"], in: directory)
  }

  /// The file that the trainer would load for one of its states, or `nil` where there is none.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package static func file(of state: String, in directory: FilePath) throws(CheckpointError)
    -> String?
  {
    try files(of: state, in: directory).first
  }

  /// The paths of the checkpoint files in `directory`, in the order model, optim, train.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package static func files(of directory: FilePath) throws(CheckpointError) -> [String] {
    var all: [String] = []
    for state in states + [trainer] { all += try files(of: state, in: directory) }
    return all
  }

  /// The error for a directory without checkpoint files.
  package static func notACheckpoint(_ directory: FilePath) -> CheckpointError {
    CheckpointError(
      .unsupported, "there is neither a model nor an optim file in this directory",
      remedy: "give the directory of one step, such as 'step1000-unsharded', or a file"
    ).framed(by: directory.text)
  }

  private static let sniffedByteCount = 1 << 20
}

internal import Bytes
internal import Formats

extension OLMoDirectory {
  /// The file that the trainer would load for one of its states, or `nil` where there is none.
  ///
  /// It tries safetensors before `.pt` (`load_state_dict` in `olmo/checkpoint.py`).
  /// - Throws: `inputOutput` when the system does not tell.
  static func file(of state: String, in directory: FilePath) throws(FormatError) -> String? {
    for suffix in ["safetensors", "pt"] {
      let file = directory.appending("\(state).\(suffix)")
      if try file.status() != nil { return file.text }
    }
    return nil
  }
}

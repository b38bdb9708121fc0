internal import Bytes
internal import Formats

/// What keeps a configuration from being one, before anything in it is read.
enum ConfigurationFile {
  /// What is wrong with the file at `place`, without which `need` is not possible; `nil` where it
  /// may be a configuration.
  ///
  /// - Throws: `inputOutput` when the system fails.
  static func problem(at place: FilePath, need: String) throws(FormatError) -> Finding? {
    guard let status = try place.status() else {
      return Finding(
        .problem, .files, at: place.text, "it is missing: \(need)", remedy: "fetch it again")
    }
    if status.isDirectory { return Finding(.directory, .content, at: place.text) }
    switch try FileKind.sniff(SourceFile.open(place.text)) {
    case .json, .text, .unknown: return nil
    case .zip, .legacyTorch, .pickle, .safetensors:
      return Finding(
        .problem, .content, at: place.text, "this is a file of tensors, not a configuration",
        remedy: "it has another file's name; fetch the right one")
    case let kind:
      guard let problem = kind.problem(insteadOf: "configuration") else { return nil }
      return Finding(problem, .content, at: place.text)
    }
  }
}

extension FormatError {
  /// A directory stands where a file should be.
  static let directory = FormatError(
    .unsupported, "this is a directory, not a file", hint: "fetch the file itself")
}

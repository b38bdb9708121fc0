internal import Bytes
internal import Formats

/// Where the files of a translated configuration go.
struct ConfigDestination {
  /// A directory to make first; `nil` if none is needed.
  let directory: String?
  private let place: FilePath
  /// The name of the main file where it was given.
  private let name: String?
  private let isStream: Bool

  /// Decides it.
  ///
  /// Two files are written in one direction, so a path means a directory unless its name has the
  /// extension of a configuration.
  /// - Throws: `inputOutput` when the system does not tell what stands there.
  init(_ destination: Destination, _ source: ConfigSource) throws(FormatError) {
    isStream = destination == .standardOutput
    guard case .path(let path) = destination else {
      (directory, place, name) = (nil, source.path.directory, nil)
      return
    }
    let given = FilePath(path)
    let isDirectory = try given.meansDirectory()
    if !isDirectory, [".json", ".yaml", ".yml"].contains(where: given.name.hasSuffix) {
      (directory, place, name) = (nil, given.directory, given.name)
    } else {
      (directory, place, name) = (path, given, nil)
    }
  }

  /// The files of a translation to Hugging Face; only the first fits the standard output.
  func huggingFace(_ text: [UInt8], generation: [UInt8]) -> [ConfigTranslation.File] {
    let main = ConfigTranslation.File(path: path(HuggingFaceFolder.configuration), text: text)
    guard !isStream else { return [main] }
    let second = place.appending(HuggingFaceFolder.generation).text
    return [main, .init(path: second, text: generation)]
  }

  /// The file of a translation to OLMo.
  func olmo(_ text: [UInt8]) -> [ConfigTranslation.File] {
    [.init(path: path(OLMoDirectory.configuration), text: text)]
  }

  private func path(_ usual: String) -> String {
    isStream ? "-" : place.appending(name ?? usual).text
  }
}

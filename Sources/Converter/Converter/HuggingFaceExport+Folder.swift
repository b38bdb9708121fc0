package import Bytes
internal import Formats

extension HuggingFaceExport: FolderConversion {
  /// What holds for the directory that is written.
  package var folder: FolderOptions {
    get { options.folder }
    set { options.folder = newValue }
  }

  /// Whether there are an OLMo configuration and a model.
  package func takes(directoryHolding names: Set<String>) -> Bool {
    names.contains(OLMoDirectory.configuration)
      && !names.isDisjoint(with: ["model.safetensors", "model.pt"])
  }

  /// The configuration, the states that go along, and the tokenizer.
  ///
  /// - Throws: `inputOutput` when there is no such directory, or no tokenizer where one is named.
  package func sources(of input: String) throws(FormatError) -> [String] {
    let place = FilePath(input)
    try FolderPlan.requireDirectory(place)
    var paths = [place.appending(OLMoDirectory.configuration).text]
    paths += try FilePath.existing(ReturningConfig.names, in: place)
    paths += [try OLMoDirectory.file(of: "model", in: place)].compactMap(\.self)
    if options.carriesOptimizer {
      for state in ["optim", OLMoDirectory.trainer] {
        paths += [try OLMoDirectory.file(of: state, in: place)].compactMap(\.self)
      }
    }
    return paths + (try HuggingFaceFolder.tokenizer(at: options.tokenizer ?? input).map(\.path))
  }

  /// The bytes that converting `input` would write, found without reading tensors.
  ///
  /// - Throws: ``FormatError`` for an input that cannot be converted.
  package func measure(_ input: String, to output: String) throws(FormatError) -> Int {
    try plan(FilePath(input), output).byteCount
  }
}

package import Bytes
internal import Formats

extension OLMoImport: FolderConversion {
  /// What holds for the directory that is written.
  package var folder: FolderOptions {
    get { options.folder }
    set { options.folder = newValue }
  }

  /// Whether there are a configuration of Hugging Face and weights.
  package func takes(directoryHolding names: Set<String>) -> Bool {
    names.contains(HuggingFaceFolder.configuration) && ModelFolder.holdsWeights(names)
  }

  /// The configurations, the weights, what travelled with them, and the tokenizer.
  ///
  /// - Throws: `inputOutput` when there is no such directory, or no tokenizer where one is named; what
  ///   reading the index of the weights throws.
  package func sources(of input: String) throws(FormatError) -> [String] {
    let place = FilePath(input)
    try FolderPlan.requireDirectory(place)
    var paths = [place.appending(HuggingFaceFolder.configuration).text]
    paths += try FilePath.existing(HuggingFaceFolder.companions, in: place)
    if let weights = try ModelFolder.weights(in: input) {
      paths += try ModelFolder.files(of: weights)
    }
    paths += [options.template].compactMap(\.self)
    // The vocabulary's size is taken from the folder, wherever the tokenizer that goes along is.
    let places = Set([input, options.tokenizer ?? input]).sorted()
    for place in places { paths += try HuggingFaceFolder.tokenizer(at: place).map(\.path) }
    return paths
  }

  /// The bytes that converting `input` would write, found without reading tensors.
  ///
  /// - Throws: ``FormatError`` for an input that cannot be converted.
  package func measure(_ input: String, to output: String) throws(FormatError) -> Int {
    try plan(FilePath(input), output).byteCount
  }
}

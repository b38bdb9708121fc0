internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptModels
internal import CkptYAML

/// The configuration files that a Hugging Face folder gets: those of the folder that the checkpoint
/// came from where they still describe the model, else translations of OLMo's.
struct PreservedConfig {
  /// Where an OLMo directory keeps the configuration of the folder that it was made from.
  static let directory = "huggingface"

  /// The names of its files in an OLMo directory.
  static let names = [HuggingFaceFolder.configuration, HuggingFaceFolder.generation]
    .map { "\(directory)/\($0)" }

  /// Each file's name, the path it comes from, and its bytes.
  private(set) var files: [(name: String, source: String, bytes: [UInt8])] = []
  /// What the user should know.
  private(set) var warnings: [Notice] = []

  /// The files for a translation of `config`, the `config.yaml` in `input`.
  ///
  /// - Throws: what reading and translating a configuration throws.
  init(
    in input: FilePath, for translation: HuggingFaceTranslation, of config: OLMoConfig,
    _ options: HuggingFaceTranslation.Options
  ) throws(CheckpointError) {
    let own = input.appending(OLMoDirectory.configuration).text
    let kept = input.appending(Self.directory)
    let original = kept.appending(HuggingFaceFolder.configuration)
    if try original.status() != nil {
      if let bytes = try Self.returning(original.text, translation, config, options) {
        files.append((HuggingFaceFolder.configuration, original.text, bytes))
        let generation = kept.appending(HuggingFaceFolder.generation)
        if try generation.status() != nil {
          files.append(
            (HuggingFaceFolder.generation, generation.text, try Self.bytes(of: generation.text)))
        }
        return
      }
      warnings.append(
        "'\(original.text)' describes another model than config.yaml, and is not used")
    }
    files = [
      (HuggingFaceFolder.configuration, own, try translation.config.text()),
      (HuggingFaceFolder.generation, own, try translation.generation.text()),
    ]
  }

  /// The original as it is to be written, or `nil` where it is of another model.
  private static func returning(
    _ path: String, _ translation: HuggingFaceTranslation, _ config: OLMoConfig,
    _ options: HuggingFaceTranslation.Options
  ) throws(CheckpointError) -> [UInt8]? {
    let bytes = try bytes(of: path)
    var original = try CheckpointError.within(path) { () throws(CheckpointError) in
      try HuggingFaceConfig(reading: bytes)
    }
    let back = try CheckpointError.within(path) { () throws(CheckpointError) in
      try OLMoTranslation(original)
    }
    let again = try HuggingFaceTranslation(back.config, options)
    guard withoutTraveller(again.config) == withoutTraveller(translation.config) else { return nil }
    var isChanged = false
    let member = original["dtype"] != nil ? "dtype" : "torch_dtype"
    let dtype = YAMLValue(.string(options.dtype))
    if original[member] != dtype {
      original[member] = dtype
      isChanged = true
    }
    // What only OLMo knows need not travel where it follows from the rest.
    if try back.config.text() != config.text(), options.carriesRest {
      original[traveller] = translation.config[traveller]
      isChanged = true
    }
    return isChanged ? try original.text() : bytes
  }

  private static let traveller = EmbeddedOLMoConfig.member

  private static func withoutTraveller(_ config: HuggingFaceConfig) -> HuggingFaceConfig {
    var config = config
    config[traveller] = nil
    return config
  }

  private static func bytes(of path: String) throws(CheckpointError) -> [UInt8] {
    try FileSource(path: path).contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
  }
}

internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptModels
internal import CkptYAML

/// The configuration files of an output directory.
///
/// If the checkpoint came from a Hugging Face model whose files still describe it, these are used;
/// otherwise translations of OLMo's.
struct PreservedConfig {
  /// The subdirectory of an OLMo checkpoint with the original Hugging Face configuration.
  static let directory = "huggingface"

  /// The names of these files.
  static let names = [HuggingFaceFolder.configuration, HuggingFaceFolder.generation]
    .map { "\(directory)/\($0)" }

  /// The name, source path and bytes of each file.
  private(set) var files: [(name: String, source: String, bytes: [UInt8])] = []
  /// Warnings for the user.
  private(set) var warnings: [Notice] = []

  /// Creates the files for a translation of `config`, the `config.yaml` in `input`.
  ///
  /// - Throws: the errors of reading and translating a configuration.
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
        "'\(original.text)' describes another model than config.yaml and is not used")
    }
    files = [
      (HuggingFaceFolder.configuration, own, try translation.config.text()),
      (HuggingFaceFolder.generation, own, try translation.generation.text()),
    ]
  }

  /// Returns the original configuration to write, or `nil` if it describes another model.
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
    guard withoutPreserved(again.config) == withoutPreserved(translation.config) else { return nil }
    var isChanged = false
    let member = original["dtype"] != nil ? "dtype" : "torch_dtype"
    let dtype = YAMLValue(.string(options.dtype))
    if original[member] != dtype {
      original[member] = dtype
      isChanged = true
    }
    // OLMo's own settings are only kept if the configuration does not imply them.
    if try back.config.text() != config.text(), options.carriesRest {
      original[preservedMember] = translation.config[preservedMember]
      isChanged = true
    }
    return isChanged ? try original.text() : bytes
  }

  private static let preservedMember = EmbeddedOLMoConfig.member

  private static func withoutPreserved(_ config: HuggingFaceConfig) -> HuggingFaceConfig {
    var config = config
    config[preservedMember] = nil
    return config
  }

  private static func bytes(of path: String) throws(CheckpointError) -> [UInt8] {
    try FileSource(path: path).contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
  }
}

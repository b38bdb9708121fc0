public import CkptBase
internal import CkptCheckpoints
public import CkptCopy
internal import CkptFormats
internal import CkptJSON
public import CkptModels
internal import CkptPlan
internal import CkptYAML

/// The translation of one configuration, with its output files.
public struct ConfigTranslation: Sendable {
  /// The kind of configuration to write.
  @nonexhaustive
  public enum Target: String, CaseIterable, Sendable {
    /// `config.json` and `generation_config.json`.
    case huggingFace = "hf"
    /// `config.yaml`.
    case olmo

    /// The name of the file to translate.
    var sourceName: String {
      switch self {
      case .huggingFace: OLMoDirectory.configuration
      case .olmo: HuggingFaceFolder.configuration
      }
    }
  }

  /// The caller's choices.
  public struct Options: Sendable {
    /// The path of a `config.yaml` with the settings that `config.json` does not have.
    public var template: String?
    /// The choices for a translation to Hugging Face.
    public var huggingFace = HuggingFaceTranslation.Options()
    /// The options for writing the files.
    public var writing = WritingOptions()

    /// Creates the default options.
    public init() {}
  }

  /// An output file.
  public struct File: Sendable {
    /// The output path.
    public var target: OutputTarget
    /// Its content.
    public var text: [UInt8]
    /// The path, or `-` for the standard output.
    public var path: String { target.description }
  }

  /// The configuration that was read.
  public let source: String
  /// The kind of configuration that is written.
  public let target: Target
  /// The class of the model in transformers.
  public let architecture: Architecture
  /// The outcome of every field.
  public let report: FieldReport
  /// The files that ``write()`` writes.
  public let files: [File]
  private let options: Options

  /// Translates `input`, a configuration or a directory that has one, without writing.
  ///
  /// Without `target` the input decides the direction.
  /// - Throws: `unsupported`, with the field, for a model that the other side cannot represent;
  ///   `malformed` for an invalid configuration; `inputOutput` if a file cannot be read.
  public init(
    of input: String, to target: Target? = nil, into destination: Destination,
    _ options: Options = Options()
  ) throws(CheckpointError) {
    let source = try ConfigSource(input, for: target)
    self.source = source.path.text
    self.options = options
    self.target = source.target
    let place = try ConfigDestination(destination, source)
    switch source.content {
    case .olmo(let config):
      guard options.template == nil else {
        throw CheckpointError(
          .unsupported,
          "a template applies only to translations to OLMo, but this is an OLMo configuration"
        ).framed(by: source.path.text)
      }
      let (translation, text) = try CheckpointError.within(source.path.text) {
        () throws(CheckpointError) in
        let translation = try HuggingFaceTranslation(config, options.huggingFace)
        return (translation, try translation.config.text())
      }
      architecture = translation.architecture
      report = translation.report
      files = place.huggingFace(text, generation: try translation.generation.text())
    case .huggingFace(let config):
      var template: OLMoConfig?
      if let path = options.template { template = try OLMoConfig(path: path) }
      let vocabularySize = try TokenizerFile.vocabularySize(in: source.path.directory)
      let translation = try CheckpointError.within(source.path.text) { () throws(CheckpointError) in
        try OLMoTranslation(config, template: template, vocabularySize: vocabularySize)
      }
      architecture = translation.architecture
      report = translation.report
      files = place.olmo(try translation.config.text())
    }
    directory = place.directory
  }

  /// The directory to create for the files; `nil` for none.
  private let directory: String?

  /// The warnings, each with its file.
  public var warnings: [Notice] {
    report.warnings.map { $0.prefixed(by: "\(source): ") }
  }

  /// The files that the translation read.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package var sources: [String] {
    get throws(CheckpointError) {
      var paths = [source]
      guard target == .olmo else { return paths }
      paths += [options.template].compactMap(\.self)
      return paths + (try FilePath.existing([TokenizerFile.name], in: FilePath(source).directory))
    }
  }

  /// Whether a directory with these file names has a configuration that can be translated to
  /// `target`.
  package static func takes(directoryHolding names: Set<String>, to target: Target?) -> Bool {
    Target.allCases.contains { target ?? $0 == $0 && names.contains($0.sourceName) }
  }

  /// Writes all files or none.
  ///
  /// - Throws: `inputOutput` if a file exists and must not be replaced, or cannot be written.
  public func write() throws(CheckpointError) {
    let directories = directory.map { _ in OutputDirectories() }
    do throws(CheckpointError) {
      try writeFiles(in: directories)
    } catch {
      directories?.discard()
      throw error
    }
  }

  private func writeFiles(in directories: OutputDirectories?) throws(CheckpointError) {
    var staged: [StagedOutput] = []
    for file in files {
      var plan = FilePlan()
      plan.append(.literal(file.text))
      let output = try file.target.open(options.writing, in: directories)
      try CopyEngine(threadCount: 1).run(plan, into: output.destination)
      staged += [output.file].compactMap(\.self)
    }
    try StagedOutput.commit(staged)
  }
}

extension ConfigTranslation {
  /// The translation as one JSON object; `Documentation/json.md` describes its members.
  public func json(_ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("source", source)
    json.member("target", target.rawValue)
    json.member("architecture", architecture.rawValue)
    json.member("outputs", files.map(\.path))
    json.key("fields")
    report.write(to: &json)
    json.member("warnings", report.warnings.map { $0.sentence(wording) })
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

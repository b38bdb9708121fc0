public import CkptBase
internal import CkptCheckpoints
public import CkptCopy
internal import CkptFormats
internal import CkptJSON
public import CkptModels
internal import CkptPlan
internal import CkptYAML

/// The translation of one configuration, with the files that are written for it.
public struct ConfigTranslation: Sendable {
  /// The side whose configuration is written.
  @nonexhaustive
  public enum Target: String, CaseIterable, Sendable {
    /// `config.json` and `generation_config.json`.
    case huggingFace = "hf"
    /// `config.yaml`.
    case olmo

    /// The name of the file that is translated.
    var sourceName: String {
      switch self {
      case .huggingFace: OLMoDirectory.configuration
      case .olmo: HuggingFaceFolder.configuration
      }
    }
  }

  /// What the caller decides.
  public struct Options: Sendable {
    /// The path of a `config.yaml` that supplies what a `config.json` does not know.
    public var template: String?
    /// What is decided about a translation to Hugging Face.
    public var huggingFace = HuggingFaceTranslation.Options()
    /// Options for writing the files.
    public var writing = WritingOptions()

    /// The defaults.
    public init() {}
  }

  /// A file to write.
  public struct File: Sendable {
    /// The place that it is written to.
    public var target: OutputTarget
    /// Its content.
    public var text: [UInt8]
    /// The path, or `-` for the standard output.
    public var path: String { target.description }
  }

  /// The file that was read.
  public let source: String
  /// The side that is written.
  public let target: Target
  /// The class of transformers that the model is.
  public let architecture: Architecture
  /// What became of every field.
  public let report: FieldReport
  /// What ``write()`` writes.
  public let files: [File]
  private let options: Options

  /// Translates `input`, a configuration or a directory that has one; writes nothing yet.
  ///
  /// Without `target` the kind of the configuration decides.
  /// - Throws: `unsupported` for what the other side cannot represent, naming the field; `malformed`
  ///   for what is no configuration; `inputOutput` when a file cannot be read.
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
          .unsupported, "a template is for translations to OLMo, and this is an OLMo configuration"
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

  /// The directory that is made for the files; `nil` if they need none.
  private let directory: String?

  /// What the user should know, with the file that it is about.
  public var warnings: [Notice] {
    report.warnings.map { $0.prefixed(by: "\(source): ") }
  }

  /// The files that were read for it.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  package var sources: [String] {
    get throws(CheckpointError) {
      var paths = [source]
      guard target == .olmo else { return paths }
      paths += [options.template].compactMap(\.self)
      return paths + (try FilePath.existing([TokenizerFile.name], in: FilePath(source).directory))
    }
  }

  /// Whether a directory that holds files of these names has a configuration that can become that of
  /// `target`.
  package static func takes(directoryHolding names: Set<String>, to target: Target?) -> Bool {
    Target.allCases.contains { target ?? $0 == $0 && names.contains($0.sourceName) }
  }

  /// Writes the files, all of them or none.
  ///
  /// - Throws: `inputOutput` when a file exists and is not to be replaced, or cannot be written.
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

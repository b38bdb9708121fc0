internal import CkptBase
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptFormats
internal import CkptModels
internal import CkptYAML

/// A configuration of either side that was found and parsed.
struct ConfigSource {
  /// The parsed configuration.
  enum Content {
    case olmo(OLMoConfig)
    case huggingFace(HuggingFaceConfig)
  }

  let path: FilePath
  let content: Content

  /// The target of its translation.
  var target: ConfigTranslation.Target {
    switch content {
    case .olmo: .huggingFace
    case .huggingFace: .olmo
    }
  }

  /// Finds and reads the configuration of `input` that can be translated to `target`.
  ///
  /// - Throws: `unsupported` for a configuration that is already of the target's kind, and for a
  ///   directory with no configuration, or with both and no `target`.
  init(_ input: String, for target: ConfigTranslation.Target?) throws(CheckpointError) {
    let place = FilePath(input)
    guard let status = try place.status() else { throw .missing(input) }
    path = status.isDirectory ? try Self.find(in: place, for: target) : place
    content = try Self.read(path.text)
    if let target, target != self.target {
      let side = target == .olmo ? "an OLMo" : "a Hugging Face"
      throw CheckpointError(
        .unsupported, "this is already \(side) configuration",
        remedy: .action(.chooseOtherTarget)
      ).framed(by: path.text)
    }
  }

  private static func find(
    in directory: FilePath, for target: ConfigTranslation.Target?
  ) throws(CheckpointError) -> FilePath {
    var found: [FilePath] = []
    for candidate in ConfigTranslation.Target.allCases where target ?? candidate == candidate {
      let path = directory.appending(candidate.sourceName)
      if try path.status() != nil { found.append(path) }
    }
    guard let path = found.first else {
      let names = target.map { $0.sourceName } ?? "config.yaml or config.json"
      throw CheckpointError(.unsupported, "this directory has no \(names)")
        .framed(by: directory.text)
    }
    guard found.count == 1 else {
      throw CheckpointError(
        .unsupported, "this directory has both a config.yaml and a config.json",
        remedy: .action(.chooseTarget)
      ).framed(by: directory.text)
    }
    return path
  }

  /// Reads a configuration.
  ///
  /// Its first characters distinguish JSON from YAML.
  private static func read(_ path: String) throws(CheckpointError) -> Content {
    let file = try FileSource(path: path)
    let beginning = try file.bytes(in: 0..<4096)
    let space: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
    let characters = beginning.filter { !space.contains($0) }.prefix(2)
    let isJSON = [Array("{\"".utf8), Array("{}".utf8)].contains(Array(characters))
    return isJSON
      ? .huggingFace(try HuggingFaceConfig(path: path)) : .olmo(try OLMoConfig(path: path))
  }
}

/// The output paths of a translated configuration.
struct ConfigDestination {
  /// A directory to create first; `nil` for none.
  let directory: String?
  private let place: FilePath
  /// The name of the main file, if it was given.
  private let name: String?
  private let isStream: Bool

  /// Chooses the output paths.
  ///
  /// One direction writes two files, so a path is a directory, unless its name has the extension of
  /// a configuration.
  /// - Throws: `inputOutput` if the system cannot read the path.
  init(_ destination: Destination, _ source: ConfigSource) throws(CheckpointError) {
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

  /// Returns the files of a translation to Hugging Face; the standard output takes only the first.
  func huggingFace(_ text: [UInt8], generation: [UInt8]) -> [ConfigTranslation.File] {
    let main = ConfigTranslation.File(
      target: target(HuggingFaceFolder.configuration), text: text)
    guard !isStream else { return [main] }
    let second = OutputTarget.file(place.appending(HuggingFaceFolder.generation).text)
    return [main, .init(target: second, text: generation)]
  }

  /// Returns the file of a translation to OLMo.
  func olmo(_ text: [UInt8]) -> [ConfigTranslation.File] {
    [.init(target: target(OLMoDirectory.configuration), text: text)]
  }

  private func target(_ usual: String) -> OutputTarget {
    isStream ? .standardOutput : .file(place.appending(name ?? usual).text)
  }
}

internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptHuggingFace
internal import CkptModels

/// Checks a model directory of `transformers`.
struct HuggingFaceCheck {
  /// The state of the check.
  private(set) var record = CheckRecord()

  private let place: FilePath
  private var configuration: HuggingFaceConfig?
  private let options: CheckOptions

  init(of place: FilePath, _ options: CheckOptions) {
    self.place = place
    self.options = options
    record.reading = options.reading
  }

  /// Checks everything but tensor data.
  ///
  /// - Throws: `inputOutput` if the system fails.
  mutating func run() throws(CheckpointError) {
    try readConfiguration()
    guard let weights = try ModelFolder.weights(in: place.text) else {
      return record.findings.append(
        Finding(
          .problem, .files, at: place.text,
          "this directory has no model.safetensors, "
            + "no pytorch_model.bin and no index of shards", remedy: "download the weights again"))
    }
    for other in try ModelFolder.otherWeights(in: place.text) {
      record.findings.append(
        Finding(
          .warning, .files, at: place.text,
          "there are two sets of weights; transformers loads '\(FilePath(weights).name)' and not "
            + "'\(other)'",
          remedy: "compare them, and remove the one that is not meant"))
    }
    let checkpoint: Checkpoint
    do throws(CheckpointError) {
      checkpoint = try record.read(weights)
    } catch {
      return record.note(error, keptFromReading: weights)
    }
    try checkTensors(checkpoint.graph, at: weights)
    guard let consumer = options.consumer else { return }
    var loading = LoadingCheck(for: consumer)
    try loading.check(folder: place, weights: record.files[0], configuration)
    record.findings += loading.findings
  }

  private mutating func readConfiguration() throws(CheckpointError) {
    let file = place.appending(HuggingFaceFolder.configuration)
    if let problem = try ConfigurationFile.problem(
      at: file, need: "transformers and conversions need it")
    {
      return record.findings.append(problem)
    }
    do throws(CheckpointError) {
      configuration = try HuggingFaceConfig(path: file.text)
    } catch {
      var finding = Finding(error, .configuration, at: file.text)
      if finding.remedy == nil { finding.remedy = "fix it, or download the file again" }
      record.findings.append(finding)
    }
  }

  private mutating func checkTensors(
    _ graph: TensorGraph, at path: String
  ) throws(CheckpointError) {
    do throws(CheckpointError) {
      _ = try NamedTensors(huggingFace: graph)
    } catch {
      return record.findings.append(Finding(error, .tensors, at: path))
    }
    guard let configuration else { return }
    let configPath = place.appending(HuggingFaceFolder.configuration).text
    do throws(CheckpointError) {
      let translation = try OLMoTranslation(configuration, for: .core)
      let map = try TensorMap(of: translation.config.model)
      let tensors = try HuggingFaceTensors.significant(in: graph, map, budget: options.budget)
      record.findings +=
        ModelCheck(tensors, of: graph, at: path, by: ModelOutline(huggingFace: map)).findings
      record.examined.append("\(tensors.entries.count) tensors against config.json")
    } catch {
      guard error.code.isOfTheInput else { throw error }
      guard error.code == .unsupported else {
        return record.findings.append(Finding(error, .configuration, at: configPath))
      }
      record.findings.append(
        Finding(
          .note, .configuration, at: configPath,
          "the tensors were not compared with it: \(error.message)"))
    }
  }
}

/// Tests whether a file can be a configuration, before it is parsed.
enum ConfigurationFile {
  /// Returns the problem with the file at `place`; `nil` if it can be a configuration.
  ///
  /// `need` says why the file is needed.
  ///
  /// - Throws: `inputOutput` if the system fails.
  static func problem(at place: FilePath, need: String) throws(CheckpointError) -> Finding? {
    guard let status = try place.status() else {
      return Finding(
        .problem, .files, at: place.text, "the file is missing: \(need)",
        remedy: "download it again")
    }
    if status.isDirectory { return Finding(.directory, .content, at: place.text) }
    switch try FileKind.sniff(FileSource(path: place.text)) {
    case .json, .text, .unknown: return nil
    case .container, .pickle:
      return Finding(
        .problem, .content, at: place.text, "this is a file of tensors, not a configuration",
        remedy: "the file has the wrong name or content; download the right one")
    case let kind:
      return Finding(kind.problem(insteadOf: "configuration"), .content, at: place.text)
    }
  }
}

extension CheckpointError {
  /// The error for a directory in place of a file.
  static let directory = CheckpointError(
    .unsupported, "this is a directory, not a file", remedy: "replace it with the file")
}

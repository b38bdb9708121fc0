internal import Architectures
internal import Bytes
internal import Configs
internal import Formats
internal import Graph

/// Examines a folder with a model as `transformers` saves it.
struct FolderExamination {
  /// What was seen.
  private(set) var record = ExaminationRecord()

  private let place: FilePath
  private var configuration: HuggingFaceConfig?
  private let options: ExaminationOptions

  init(of place: FilePath, _ options: ExaminationOptions) {
    self.place = place
    self.options = options
  }

  /// Looks at everything but tensor data.
  ///
  /// - Throws: `inputOutput` when the system fails.
  mutating func run() throws(FormatError) {
    try readConfiguration()
    guard let weights = try ModelFolder.weights(in: place.text) else {
      return record.findings.append(
        Finding(
          .problem, .files, at: place.text,
          "there is neither model.safetensors nor "
            + "pytorch_model.bin nor an index of shards", remedy: "fetch the weights again"))
    }
    let checkpoint: Checkpoint
    do throws(FormatError) {
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

  private mutating func readConfiguration() throws(FormatError) {
    let file = place.appending(HuggingFaceFolder.configuration)
    if let problem = try ConfigurationFile.problem(
      at: file, need: "transformers and conversions need it")
    {
      return record.findings.append(problem)
    }
    do throws(FormatError) {
      configuration = try HuggingFaceConfig(path: file.text)
    } catch {
      var finding = Finding(error, .configuration, at: file.text)
      if finding.remedy == nil { finding.remedy = "mend it, or fetch the file again" }
      record.findings.append(finding)
    }
  }

  private mutating func checkTensors(
    _ graph: TensorGraph, at path: String
  ) throws(FormatError) {
    do throws(FormatError) {
      _ = try NamedTensors(huggingFace: graph)
    } catch {
      return record.findings.append(Finding(error, .tensors, at: path))
    }
    guard let configuration else { return }
    let configPath = place.appending(HuggingFaceFolder.configuration).text
    do throws(FormatError) {
      let translation = try OLMoTranslation(configuration)
      let map = try TensorMap(of: translation.config.model)
      let tensors = try HuggingFaceTensors.significant(in: graph, map)
      record.findings +=
        ModelCheck(tensors, of: graph, at: path, by: ModelOutline(huggingFace: map)).findings
      record.examined.append("\(tensors.entries.count) tensors against config.json")
    } catch {
      guard error.code == .unsupported else {
        return record.findings.append(Finding(error, .configuration, at: configPath))
      }
      record.findings.append(
        Finding(
          .note, .configuration, at: configPath,
          "the tensors are not compared with it: \(error.message)"))
    }
  }
}

internal import Architectures
internal import Bytes
internal import Configs
internal import Formats
internal import Graph

/// Examines a folder with a model as `transformers` saves it.
struct FolderExamination {
  /// What was found.
  private(set) var findings: [Finding] = []
  /// What was looked at, in words.
  private(set) var examined: [String] = []
  /// What could be read, for ``ContentCheck``.
  private(set) var files: [StateFile] = []

  private let place: FilePath
  private let options: ExaminationOptions

  private static let configuration = "config.json"

  init(of place: FilePath, _ options: ExaminationOptions) {
    self.place = place
    self.options = options
  }

  /// Looks at everything but tensor data.
  ///
  /// - Throws: `inputOutput` when the system fails.
  mutating func run() throws(FormatError) {
    guard let weights = try ModelFolder.weights(in: place.text) else {
      return findings.append(
        Finding(
          .problem, .files, at: place.text,
          "there is neither model.safetensors nor "
            + "pytorch_model.bin nor an index of shards", remedy: "fetch the weights again"))
    }
    let checkpoint: Checkpoint
    do throws(FormatError) {
      checkpoint = try CheckpointFile.read(weights)
    } catch {
      return findings.append(Finding(error, .content, at: weights))
    }
    for warning in checkpoint.warnings {
      findings.append(Finding(.warning, .content, at: weights, warning))
    }
    files = [StateFile(path: weights, checkpoint: checkpoint)]
    checkTensors(checkpoint.graph, at: weights)
    guard let consumer = options.consumer else { return }
    var loading = LoadingCheck(for: consumer)
    loading.check(folder: place, weights: files[0])
    findings += loading.findings
  }

  private mutating func checkTensors(_ graph: TensorGraph, at path: String) {
    let configPath = place.appending(Self.configuration).text
    do throws(FormatError) {
      let translation = try OLMoTranslation(HuggingFaceConfig(path: configPath))
      let map = try TensorMap(of: translation.config.model)
      let tensors = try HuggingFaceTensors.significant(in: graph, map)
      findings += ModelCheck(tensors, of: graph, at: path, by: map, on: .huggingFace).findings
      examined.append("\(tensors.entries.count) tensors against config.json")
    } catch {
      guard error.code == .unsupported else {
        return findings.append(Finding(error, .configuration, at: configPath))
      }
      findings.append(
        Finding(
          .note, .configuration, at: configPath,
          "the tensors are not compared with it: \(error.message)"))
    }
  }
}

internal import Bytes
internal import Configs
internal import Formats
internal import Graph

/// Whether a program would load a checkpoint, and why not.
struct LoadingCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  private let consumer: Consumer

  /// A check for `consumer` without findings.
  init(for consumer: Consumer) { self.consumer = consumer }

  // MARK: An OLMo directory

  /// Asks whether the consumer loads the OLMo checkpoint in a directory.
  mutating func check(
    olmoDirectory place: FilePath, _ files: [StateFile], _ configuration: OLMoConfig?
  ) {
    switch consumer {
    case .torch: for file in files { checkPickle(file) }
    case .olmo: checkTrainer(place, files)
    case .huggingFace:
      refuse(
        place.text, "transformers reads no checkpoint of OLMo's trainer",
        remedy: "convert it with 'ckptconv olmo-to-hf'")
      guard let configuration else { return }
      do throws(FormatError) {
        _ = try Architecture(of: configuration.model)
      } catch {
        findings.append(Finding(error, .loading, at: place.text))
      }
    }
  }

  /// What the trainer insists on beyond a sound checkpoint (`olmo/checkpoint.py`,
  /// `scripts/train.py`).
  private mutating func checkTrainer(_ place: FilePath, _ files: [StateFile]) {
    if !place.name.hasSuffix(OLMoDirectory.suffix) {
      refuse(
        place.text, "the trainer takes a directory for unsharded only if its name says so",
        remedy: "rename it to '\(place.name)-unsharded'")
    }
    for file in files {
      guard case .safetensors(let description)? = file.checkpoint?.source.container,
        description.layout != Layout.olmo.rawValue
      else { continue }
      refuse(
        file.path,
        "its layout is '\(description.layout)', and the trainer, which takes it before the .pt file, "
          + "reads the layout 'olmo' only",
        remedy: "write it with '--layout olmo', or give it another name")
    }
  }

  // MARK: Others

  /// Asks whether the consumer loads the model in a Hugging Face folder.
  mutating func check(folder place: FilePath, weights: StateFile) {
    switch consumer {
    case .huggingFace: return
    case .olmo:
      refuse(
        place.text, "OLMo's trainer reads no Hugging Face folder",
        remedy: "convert it with 'ckptconv hf-to-olmo'")
    case .torch: checkPickle(weights)
    }
  }

  /// Asks whether the consumer loads a file by itself.
  mutating func check(_ file: StateFile) {
    switch consumer {
    case .torch: checkPickle(file)
    case .olmo, .huggingFace:
      findings.append(
        Finding(
          .note, .loading, at: file.path,
          "whether \(consumer == .olmo ? "OLMo's trainer" : "transformers") loads it depends on the "
            + "files beside it",
          remedy: "give the directory"))
    }
  }

  private mutating func checkPickle(_ file: StateFile) {
    guard let checkpoint = file.checkpoint else { return }
    guard case .torch = checkpoint.source.container else {
      return findings.append(
        Finding(
          .note, .loading, at: file.path,
          "torch.load takes a safetensors file since PyTorch 2.13, and only by a name in "
            + "'.safetensors'",
          remedy: "read it with safetensors.torch.load_file"))
    }
    for objection in WeightsOnlyPolicy.objections(to: checkpoint) {
      refuse(
        file.path, "torch.load refuses it with weights_only=True: \(objection)",
        remedy: "pass weights_only=False if you trust the file, or convert it to safetensors")
    }
  }

  private mutating func refuse(_ path: String, _ message: String, remedy: String? = nil) {
    findings.append(Finding(.problem, .loading, at: path, message, remedy: remedy))
  }
}

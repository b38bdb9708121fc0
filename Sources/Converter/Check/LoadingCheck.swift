internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptSkeleton
internal import CkptYAML

/// Whether a program would load a checkpoint, and why not.
struct LoadingCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  private let consumer: LoadTarget

  /// A check for `consumer` without findings.
  init(for consumer: LoadTarget) { self.consumer = consumer }

  // MARK: An OLMo directory

  /// Asks whether the consumer loads the OLMo checkpoint in a directory.
  ///
  /// - Throws: `inputOutput` when the system fails.
  mutating func check(
    olmoDirectory place: FilePath, named name: String, _ files: [StateFile],
    _ configuration: OLMoConfig?
  ) throws(CheckpointError) {
    switch consumer {
    case .torch: for file in files { try checkPickle(file) }
    case .olmo: checkTrainer(place, named: name, files)
    case .huggingFace:
      refuse(
        place.text, "transformers reads no checkpoint of OLMo's trainer",
        remedy: .action(.convertToHuggingFace))
      guard let configuration else { return }
      do throws(CheckpointError) {
        _ = try Architecture(of: configuration.model)
      } catch {
        findings.append(Finding(error, .loading, at: place.text))
      }
    }
  }

  /// What the trainer insists on beyond a sound checkpoint (`olmo/checkpoint.py`,
  /// `scripts/train.py`).
  private mutating func checkTrainer(
    _ place: FilePath, named name: String, _ files: [StateFile]
  ) {
    if !name.hasSuffix(OLMoDirectory.suffix) {
      refuse(
        place.text, "the trainer takes a directory for unsharded only if its name says so",
        remedy: "rename it to '\(Self.unmarked(name))\(OLMoDirectory.suffix)'")
    }
    for file in files {
      checkWrappers(file)
      guard let description = file.checkpoint?.container as? SafetensorsDescription,
        description.layout != .olmo
      else { continue }
      refuse(
        file.path,
        "its layout is '\(description.layout.rawValue)', and the trainer, which takes it before the .pt file, "
          + "reads the layout 'olmo' only",
        remedy: .action(.useOLMoLayout))
    }
  }

  /// The trainer takes one wrapper out of the names of a model (`_make_state_dict_compatible` in
  /// `olmo/model.py`).
  private mutating func checkWrappers(_ file: StateFile) {
    guard FilePath(file.path).name.hasPrefix("model."), let graph = file.checkpoint?.graph else {
      return
    }
    let wrapped = (graph.entries(of: graph.root) ?? []).lazy.compactMap { graph.string($0.key) }
      .first { name in
        let steps = name.split(separator: ".").filter { $0 != "_fsdp_wrapped_module" }
        return steps.joined(separator: ".") != ParameterName(name).clean
      }
    guard let wrapped else { return }
    refuse(
      file.path,
      "the name '\(wrapped)' has a wrapper around the model in it, which the trainer does not take out",
      remedy: "save the state of the wrapped model itself, such as model.module.state_dict()")
  }

  /// A directory's name without the marks of a save that is under way.
  private static func unmarked(_ name: String) -> String {
    var name = name[...]
    for mark in ["-tmp", OLMoDirectory.suffix] where name.hasSuffix(mark) {
      name = name.dropLast(mark.count)
    }
    return String(name)
  }

  // MARK: Others

  /// Asks whether the consumer loads the model in a Hugging Face folder.
  ///
  /// - Throws: `inputOutput` when the system fails.
  mutating func check(
    folder place: FilePath, weights: StateFile, _ configuration: HuggingFaceConfig?
  ) throws(CheckpointError) {
    switch consumer {
    case .huggingFace: try checkFromPretrained(place, weights, configuration)
    case .olmo:
      refuse(
        place.text, "OLMo's trainer reads no Hugging Face folder",
        remedy: .action(.convertToOLMo))
    case .torch: try checkPickle(weights)
    }
  }

  /// What `from_pretrained` insists on (`load_state_dict` in `transformers/modeling_utils.py` and
  /// `AutoConfig.from_pretrained`).
  private mutating func checkFromPretrained(
    _ place: FilePath, _ weights: StateFile, _ configuration: HuggingFaceConfig?
  ) throws(CheckpointError) {
    let type = configuration?["model_type"]?.scalar
    if let type, !Self.knownModels.contains(type.description) {
      findings.append(
        Finding(
          .note, .loading, at: place.appending(HuggingFaceFolder.configuration).text,
          "whether transformers has a class for 'model_type: \(type)' depends on its version",
          remedy: "ask the version that is to load it"))
    } else if configuration != nil, type == nil {
      refuse(
        place.appending(HuggingFaceFolder.configuration).text,
        "there is no 'model_type', by which transformers knows the class of the model",
        remedy: "fetch the file again, or set it")
    }
    guard let checkpoint = weights.checkpoint else { return }
    switch checkpoint.container {
    case let file as SafetensorsDescription:
      if file.layout == .olmo {
        refuse(
          weights.path, "its layout is 'olmo', and transformers knows tensors by plain names",
          remedy: .text("convert the OLMo checkpoint", .convertToHuggingFace))
      }
      checkFormat(weights.path, file.metadata, isPresent: file.hasMetadata)
    case let files as ShardsDescription:
      checkFormat(weights.path, files.metadata, isPresent: !files.metadata.isEmpty)
      checkGlobals(of: checkpoint, at: weights.path)
    default: try checkPickle(weights)
    }
  }

  /// Models that every version has had since OLMo 2 was added to it.
  private static let knownModels: Set = ["olmo", "olmo2", "llama"]

  /// Formats of which transformers takes the tensors as they are.
  private static let knownFormats: Set = ["pt", "mlx"]

  private mutating func checkFormat(
    _ path: String, _ metadata: [(key: String, value: String)], isPresent: Bool
  ) {
    let format = metadata.first { $0.key == "format" }?.value
    guard isPresent, format.map({ !Self.knownFormats.contains($0) }) ?? true else { return }
    refuse(
      path,
      format.map { "its metadata says 'format: \($0)', and transformers takes 'pt' here" }
        ?? "its metadata has no 'format', which transformers insists on where there is any metadata",
      remedy: "save it with metadata={'format': 'pt'}")
  }

  /// Asks whether the consumer loads a file by itself.
  ///
  /// - Throws: `inputOutput` when the system fails.
  mutating func check(_ file: StateFile) throws(CheckpointError) {
    switch consumer {
    case .torch: try checkPickle(file)
    case .olmo, .huggingFace:
      findings.append(
        Finding(
          .note, .loading, at: file.path,
          "whether \(consumer == .olmo ? "OLMo's trainer" : "transformers") loads it depends on the "
            + "files beside it",
          remedy: "give the directory"))
    }
  }

  private mutating func checkPickle(_ file: StateFile) throws(CheckpointError) {
    guard let checkpoint = file.checkpoint else { return }
    guard checkpoint.container?.format == .torch else {
      return findings.append(
        Finding(
          .note, .loading, at: file.path,
          "torch.load takes a safetensors file since PyTorch 2.13, and only by a name in "
            + "'.safetensors'",
          remedy: "read it with safetensors.torch.load_file"))
    }
    if try !Self.beginsWithArchive(file.path) {
      refuse(
        file.path, "torch.load looks for an archive in the first bytes, and others stand before it",
        remedy: "cut them off")
    }
    checkGlobals(of: checkpoint, at: file.path)
  }

  private static func beginsWithArchive(_ path: String) throws(CheckpointError) -> Bool {
    try FileSource(path: path).bytes(in: 0..<4) == Array("PK\u{3}\u{4}".utf8)
  }

  private mutating func checkGlobals(of checkpoint: Checkpoint, at path: String) {
    for objection in WeightsOnlyPolicy.objections(to: checkpoint) {
      refuse(
        path, "torch.load refuses it with weights_only=True: \(objection)",
        remedy: "pass weights_only=False if you trust the file, or convert it to safetensors")
    }
  }

  private mutating func refuse(_ path: String, _ message: String, remedy: Remedy? = nil) {
    findings.append(Finding(.problem, .loading, at: path, message, remedy: remedy))
  }
}

internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptSafetensors
internal import CkptSkeleton
internal import CkptTorch
internal import CkptYAML

/// Tells whether a program loads a checkpoint, and the reasons if it does not.
struct LoadingCheck {
  /// The findings.
  private(set) var findings: [Finding] = []
  private let consumer: LoadTarget

  /// Creates a check for `consumer`.
  init(for consumer: LoadTarget) { self.consumer = consumer }

  // MARK: An OLMo directory

  /// Checks whether the program loads the OLMo checkpoint in a directory.
  ///
  /// - Throws: `inputOutput` if the system fails.
  mutating func check(
    olmoDirectory place: FilePath, named name: String, _ files: [StateFile],
    _ configuration: OLMoConfig?
  ) throws(CheckpointError) {
    switch consumer {
    case .torch: for file in files { try checkPickle(file) }
    case .olmo: checkTrainer(place, named: name, files)
    case .huggingFace:
      refuse(
        place.text, "transformers cannot read a checkpoint of OLMo's trainer",
        remedy: .action(.convertToHuggingFace))
      guard let configuration else { return }
      do throws(CheckpointError) {
        _ = try Architecture(of: configuration.model)
      } catch {
        findings.append(Finding(error, .loading, at: place.text))
      }
    }
  }

  /// Checks the trainer's requirements beyond a sound checkpoint (`olmo/checkpoint.py`,
  /// `scripts/train.py`).
  private mutating func checkTrainer(
    _ place: FilePath, named name: String, _ files: [StateFile]
  ) {
    if !name.hasSuffix(OLMoDirectory.suffix) {
      refuse(
        place.text, "the trainer recognizes an unsharded checkpoint only by its directory name",
        remedy: "rename it to '\(Self.unmarked(name))\(OLMoDirectory.suffix)'")
    }
    for file in files {
      checkWrappers(file)
      guard let description = file.checkpoint?.container as? SafetensorsDescription,
        description.layout != .olmo
      else { continue }
      refuse(
        file.path,
        "its layout is '\(description.layout.rawValue)'; the trainer tries it before the .pt file, but "
          + "reads only the layout 'olmo'",
        remedy: .action(.useOLMoLayout))
    }
  }

  /// The trainer removes one wrapper from the names of a model (`_make_state_dict_compatible` in
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
      "the name '\(wrapped)' contains the name of a wrapper, which the trainer does not remove",
      remedy: "save the state of the inner model, for example model.module.state_dict()")
  }

  /// Returns a directory name without the marks of a save in progress.
  private static func unmarked(_ name: String) -> String {
    var name = name[...]
    for mark in ["-tmp", OLMoDirectory.suffix] where name.hasSuffix(mark) {
      name = name.dropLast(mark.count)
    }
    return String(name)
  }

  // MARK: Others

  /// Checks whether the program loads the model in a Hugging Face directory.
  ///
  /// - Throws: `inputOutput` if the system fails.
  mutating func check(
    folder place: FilePath, weights: StateFile, _ configuration: HuggingFaceConfig?
  ) throws(CheckpointError) {
    switch consumer {
    case .huggingFace: try checkFromPretrained(place, weights, configuration)
    case .olmo:
      refuse(
        place.text, "OLMo's trainer cannot read a Hugging Face model",
        remedy: .action(.convertToOLMo))
    case .torch: try checkPickle(weights)
    }
  }

  /// Checks the requirements of `from_pretrained` (`load_state_dict` in
  /// `transformers/modeling_utils.py` and `AutoConfig.from_pretrained`).
  private mutating func checkFromPretrained(
    _ place: FilePath, _ weights: StateFile, _ configuration: HuggingFaceConfig?
  ) throws(CheckpointError) {
    let type = configuration?["model_type"]?.scalar
    if let type, !Self.knownModels.contains(type.description) {
      findings.append(
        Finding(
          .note, .loading, at: place.appending(HuggingFaceFolder.configuration).text,
          "only some versions of transformers have a class for 'model_type: \(type)'",
          remedy: "check your version of transformers"))
    } else if configuration != nil, type == nil {
      refuse(
        place.appending(HuggingFaceFolder.configuration).text,
        "'model_type' is missing; transformers needs it to find the class of the model",
        remedy: "download the file again, or add it")
    }
    guard let checkpoint = weights.checkpoint else { return }
    switch checkpoint.container {
    case let file as SafetensorsDescription:
      if file.layout == .olmo {
        refuse(
          weights.path, "its layout is 'olmo', but transformers needs plain names",
          remedy: .text("convert the OLMo checkpoint", .convertToHuggingFace))
      }
      checkFormat(weights.path, file.metadata, isPresent: file.hasMetadata)
      checkTies(weights.path, file)
    case let files as ShardsDescription:
      checkFormat(weights.path, files.metadata, isPresent: !files.metadata.isEmpty)
      checkGlobals(of: checkpoint, at: weights.path)
    default: try checkPickle(weights)
    }
  }

  /// A tied embedding must have the bytes itself: transformers 4.52 to 4.57 tie the output to it and
  /// not it to the output.
  private mutating func checkTies(_ path: String, _ file: SafetensorsDescription) {
    let alias = file.metadata.first { name, kept in
      TiedNames.isInputEmbedding(name) && !TiedNames.isInputEmbedding(kept)
        && kept.hasSuffix(".weight")
    }
    guard let alias else { return }
    refuse(
      path,
      "'\(alias.key)' is stored as '\(alias.value)', and transformers 4.52 to 4.57 leave it without "
        + "data",
      remedy: "store the embedding under its own name, as save_pretrained does")
  }

  /// Models that all versions have since OLMo 2 was added.
  private static let knownModels: Set = ["olmo", "olmo2", "llama"]

  /// Metadata formats whose tensors transformers reads unchanged.
  private static let knownFormats: Set = ["pt", "mlx"]

  private mutating func checkFormat(
    _ path: String, _ metadata: [(key: String, value: String)], isPresent: Bool
  ) {
    let format = metadata.first { $0.key == "format" }?.value
    guard isPresent, format.map({ !Self.knownFormats.contains($0) }) ?? true else { return }
    refuse(
      path,
      format.map { "its metadata has 'format: \($0)', but transformers needs 'pt'" }
        ?? "its metadata has no 'format', which transformers needs",
      remedy: "save it with metadata={'format': 'pt'}")
  }

  /// Checks whether the program loads a single file.
  ///
  /// - Throws: `inputOutput` if the system fails.
  mutating func check(_ file: StateFile) throws(CheckpointError) {
    switch consumer {
    case .torch: try checkPickle(file)
    case .olmo, .huggingFace:
      findings.append(
        Finding(
          .note, .loading, at: file.path,
          "whether \(consumer == .olmo ? "OLMo's trainer" : "transformers") loads it depends on the "
            + "other files of the directory",
          remedy: "pass the directory"))
    }
  }

  private mutating func checkPickle(_ file: StateFile) throws(CheckpointError) {
    guard let checkpoint = file.checkpoint else { return }
    guard checkpoint.container?.format == .torch else {
      return findings.append(
        Finding(
          .note, .loading, at: file.path,
          "torch.load reads a safetensors file only since PyTorch 2.13, and only if its name ends in "
            + "'.safetensors'",
          remedy: "read it with safetensors.torch.load_file"))
    }
    if checkpoint.archive?.archiveFormat.isZip == true, try !Self.beginsWithArchive(file.path) {
      refuse(
        file.path,
        "torch.load expects the archive at the start of the file, but other bytes precede it",
        remedy: "remove these bytes")
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

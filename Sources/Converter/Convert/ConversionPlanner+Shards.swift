internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats

/// Sharded models, and directories of `transformers`.
extension ConversionPlanner {
  /// Returns the task for a directory whose files are parts of one checkpoint.
  ///
  /// The output is one file if the destination names one, otherwise a file for the model and one for
  /// the optimizer state. OLMo's trainer continues from these, with its configuration and the trainer
  /// state of the first rank.
  func partsTask(_ input: FilePath, isOnlyInput: Bool) throws(CheckpointError) -> ConversionTask {
    var task = ConversionTask(input: input.text, steps: [], directory: nil)
    let file = try fileName(isOnlyInput: isOnlyInput)
    if file != nil || destination == .standardOutput {
      let action: ConversionTask.Action =
        options.format == .torch ? .encodeTorch : .encodeSafetensors(options.layout ?? .plain)
      task.steps = [
        .init(
          source: input.text, target: file.map { .file($0) } ?? .standardOutput, action: action)
      ]
      return task
    }
    let directory = try directory(for: input, isOnlyInput: isOnlyInput, named: input.ownName())
    let layout =
      options.format == .torch ? nil : try OLMoDirectory.layout(options.layout, in: input)
    let model = directory.appending("model.\(options.format.fileExtension)").text
    task.steps = [
      .init(source: input.text, target: .file(model), action: .encodeParts(layout))
    ]
    guard directory != input else { return task }
    task.directory = directory.text
    task.ownsDirectory = true
    var carried = CheckpointMembers.configurations.map { ($0, $0) }
    if try OLMoDirectory.isCheckpoint(input) {
      carried.append((OLMoDirectory.firstTrainer, "\(OLMoDirectory.trainer).pt"))
    }
    for (source, name) in carried where try input.appending(source).status() != nil {
      task.steps.append(
        .init(
          source: input.appending(source).text, target: .file(directory.appending(name).text),
          action: .carry))
    }
    return task
  }

  /// Returns the name of the output for `input` if there is only one.
  ///
  /// For an index, it is the name of the whole model.
  func outputName(for input: FilePath) -> String {
    let fileExtension = options.format.fileExtension
    return Self.isIndex(input)
      ? "\(CheckpointMembers.name(ofFile: input.name)).\(fileExtension)"
      : input.name(withExtension: fileExtension)
  }

  /// Returns the task for a directory of `transformers`.
  ///
  /// - Throws: `unsupported` for a directory without weights, and for weights that already have the
  ///   target format.
  func folderTask(_ input: FilePath, isOnlyInput: Bool) throws(CheckpointError) -> ConversionTask {
    guard let weights = try weights(in: input) else { throw OLMoDirectory.notACheckpoint(input) }
    var task: ConversionTask
    if let shards = try shardsTask(for: weights, of: input, isOnlyInput: isOnlyInput) {
      task = shards
    } else {
      task = ConversionTask(input: input.text, steps: [], directory: nil)
      let target: FilePath
      if let path = try fileName(isOnlyInput: isOnlyInput) {
        target = FilePath(path)
      } else {
        let directory = try directory(for: input, isOnlyInput: isOnlyInput, named: input.name)
        target = directory.appending("model.\(options.format.fileExtension)")
        if directory != input { task.directory = directory.text }
      }
      let action: ConversionTask.Action =
        options.format == .torch ? .encodeTorch : .encodeSafetensors(options.layout ?? .plain)
      task.steps = [.init(source: weights.text, target: .file(target.text), action: action)]
    }
    task.ownsDirectory = task.directory != nil
    if let directory = task.directory {
      task.steps += try companions(of: input).map { name in
        .init(
          source: input.appending(name).text,
          target: .file(FilePath(directory).appending(name).text), action: .carry)
      }
    }
    return task
  }

  /// Returns the task that splits `weights` into shards, or `nil` if the output is one file.
  ///
  /// - Throws: `unsupported` for the standard output, and for shards that are safetensors already.
  func shardsTask(
    for weights: FilePath, of input: FilePath, isOnlyInput: Bool
  ) throws(CheckpointError) -> ConversionTask? {
    guard options.format == .safetensors else { return nil }
    if options.maximumShardByteCount == nil {
      guard Self.isIndex(weights) else { return nil }
      let file = try fileName(isOnlyInput: isOnlyInput)
      guard destination != .standardOutput, file == nil else { return nil }
      guard !weights.name.hasSuffix(".safetensors.index.json") else {
        throw CheckpointError(
          .unsupported, "these are safetensors files already", remedy: .action(.joinOrCutShards)
        ).framed(by: weights.text)
      }
    }
    let stem = CheckpointMembers.name(ofFile: weights.name)
    let directory = try directory(
      for: weights == input ? weights.directory : input, isOnlyInput: isOnlyInput,
      named: weights == input ? stem : input.name)
    let target = directory.appending("\(stem).safetensors").text
    var task = ConversionTask(
      input: input.text,
      steps: [
        .init(
          source: weights.text, target: .file(target),
          action: .encodeShards(maximumByteCount: options.maximumShardByteCount))
      ], directory: nil)
    if destination != .besideInput {
      task.directory = directory.text
      task.ownsDirectory = true
    }
    return task
  }

  private static func isIndex(_ path: FilePath) -> Bool { path.name.hasSuffix(".index.json") }

  /// Returns the destination if it is a file name of the target format.
  private func fileName(isOnlyInput: Bool) throws(CheckpointError) -> String? {
    guard isOnlyInput, case .path(let path) = destination else { return nil }
    let suffixes = options.format == .safetensors ? ["safetensors"] : ["pt", "pth", "bin", "ckpt"]
    guard suffixes.contains(where: { path.hasSuffix(".\($0)") }) else { return nil }
    return try FilePath(path).meansDirectory() ? nil : path
  }

  /// Returns the directory for several outputs: the destination if this is the only input,
  /// otherwise a directory `name` inside it.
  private func directory(
    for place: FilePath, isOnlyInput: Bool, named name: String
  ) throws(CheckpointError) -> FilePath {
    switch destination {
    case .besideInput: return place
    case .path(let path):
      let isShared = !isOnlyInput || path.utf8.last == UInt8(ascii: "/")
      return isShared ? FilePath(path).appending(name) : FilePath(path)
    case .standardOutput:
      throw CheckpointError(
        .unsupported, "this has several outputs; standard output takes one",
        remedy: "pass a directory as output")
    }
  }

  /// Returns the weights in a directory, preferably those that are not in the target format.
  private func weights(in folder: FilePath) throws(CheckpointError) -> FilePath? {
    if options.format == .safetensors {
      let names = ["pytorch_model.bin", "pytorch_model.bin.index.json"]
      if let path = try FilePath.existing(names, in: folder).first { return FilePath(path) }
    }
    return try ModelFolder.weights(in: folder.text).map { FilePath($0) }
  }

  /// Returns the files of a directory that are copied: configuration, tokenizer, model card.
  private func companions(of folder: FilePath) throws(CheckpointError) -> [String] {
    var names: [String] = []
    for name in try folder.entryNames() where !CheckpointMembers.isTensorFile(name) {
      let isHidden = name.utf8.first == UInt8(ascii: ".")
      if !isHidden, try folder.appending(name).status()?.isRegular == true { names.append(name) }
    }
    return names
  }
}

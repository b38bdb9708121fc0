public import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
public import CkptCopy
internal import CkptFormats
public import CkptSkeleton

/// Decides all outputs before anything is read or written.
struct ConversionPlanner {
  let options: ConversionOptions
  let destination: Destination

  /// Returns the plan for `inputs`.
  ///
  /// - Throws: `unsupported` for outputs that share a name or replace an input, and for a manifest
  ///   with the name of one of the files.
  func plan(for inputs: [String]) throws(CheckpointError) -> ConversionPlan {
    var plan = ConversionPlan()
    try requireDirectory(for: inputs)
    for input in inputs {
      do throws(CheckpointError) {
        plan.tasks.append(try task(for: FilePath(input), isOnlyInput: inputs.count == 1))
      } catch {
        plan.failures.append((input, error))
      }
    }
    try requireApart(plan.tasks)
    return plan
  }

  /// Makes sure that several inputs are not given the name of one file.
  private func requireDirectory(for inputs: [String]) throws(CheckpointError) {
    guard inputs.count > 1, case .path(let path) = destination,
      Self.fileSuffixes.contains(where: path.hasSuffix), try !FilePath(path).meansDirectory()
    else { return }
    throw CheckpointError(
      .unsupported, "'\(path)' is the name of a file, but there are \(inputs.count) inputs",
      remedy: "pass a directory, such as '\(FilePath(path).directory.appending("converted").text)'")
  }

  private static let fileSuffixes = [".safetensors", ".pt", ".pth", ".bin", ".ckpt"]

  /// Makes sure that no file of the tasks would be lost to another.
  private func requireApart(_ tasks: [ConversionTask]) throws(CheckpointError) {
    var writers: [ExactString: String] = [:]
    for task in tasks {
      for output in task.steps.compactMap(\.target.path) {
        if let other = writers.updateValue(task.input, forKey: ExactString(output)) {
          throw CheckpointError(
            .unsupported, "'\(other)' and '\(task.input)' would both be written to '\(output)'",
            remedy: "convert them separately, with different outputs")
        }
      }
    }
    let steps = tasks.flatMap(\.steps)
    let sources = steps.map(\.source)
    let targets = steps.compactMap(\.target.path)
    for target in targets {
      try FilePath(target).requireApart(from: sources, remedy: "give the output another name")
    }
    if let manifest = options.manifest {
      try FilePath(manifest).requireApart(
        from: sources + targets, remedy: "give the manifest a name of its own")
    }
  }

  private func task(
    for input: FilePath, isOnlyInput: Bool
  ) throws(CheckpointError) -> ConversionTask {
    guard let status = try input.status() else {
      throw .missing(input.text)
    }
    return status.isDirectory
      ? try directoryTask(input, isOnlyInput: isOnlyInput)
      : try fileTask(input, isOnlyInput: isOnlyInput)
  }

  private func fileTask(
    _ input: FilePath, isOnlyInput: Bool
  ) throws(CheckpointError) -> ConversionTask {
    if let task = try shardsTask(for: input, of: input, isOnlyInput: isOnlyInput) { return task }
    let name = outputName(for: input)
    var task = ConversionTask(input: input.text, steps: [], directory: nil)
    let target: OutputTarget
    switch destination {
    case .standardOutput: target = .standardOutput
    case .besideInput: target = .file(input.directory.appending(name).text)
    case .path(let path):
      let isDirectory = try FilePath(path).meansDirectory()
      if isDirectory || !isOnlyInput {
        task.directory = path
        target = .file(FilePath(path).appending(name).text)
      } else {
        target = .file(path)
      }
    }
    // Only files in an OLMo checkpoint are for its trainer.
    let directory = target.path.map { FilePath($0).directory }
    task.steps = [
      .init(source: input.text, target: target, action: try action(in: directory))
    ]
    return task
  }

  private func directoryTask(
    _ input: FilePath, isOnlyInput: Bool
  ) throws(CheckpointError) -> ConversionTask {
    let directory: FilePath
    switch destination {
    case .besideInput: directory = input
    case .path(let path):
      directory = isOnlyInput ? FilePath(path) : FilePath(path).appending(input.name)
    case .standardOutput:
      throw CheckpointError(
        .unsupported, "a directory has several outputs, but standard output takes one",
        remedy: "pass one of its files, such as '\(input.appending(sourceName("model")).text)'")
    }
    let action = try action(in: input)
    var steps: [ConversionTask.Step] = []
    for state in try convertedStates(of: input) {
      let source = input.appending(sourceName(state))
      guard try source.status() != nil else { continue }
      let name = "\(state).\(options.format.fileExtension)"
      steps.append(
        .init(source: source.text, target: .file(directory.appending(name).text), action: action))
    }
    if steps.isEmpty {
      return try CheckpointFile.needsWholeDirectory(Set(input.entryNames()))
        ? partsTask(input, isOnlyInput: isOnlyInput)
        : folderTask(input, isOnlyInput: isOnlyInput)
    }
    guard options.maximumShardByteCount == nil else {
      throw CheckpointError(
        .unsupported, "OLMo's trainer does not read shards",
        remedy: .text(
          "pass one of its files, or convert the whole directory", .convertToHuggingFace)
      ).framed(by: input.text)
    }
    if directory != input { steps += try carriedSteps(from: input, to: directory) }
    var task = ConversionTask(
      input: input.text, steps: steps, directory: directory == input ? nil : directory.text)
    task.ownsDirectory = directory != input
    return task
  }

  /// Returns the files that are copied unchanged.
  private func carriedSteps(
    from input: FilePath, to directory: FilePath
  ) throws(CheckpointError) -> [ConversionTask.Step] {
    var names = [OLMoDirectory.configuration]
    if try !convertedStates(of: input).contains(OLMoDirectory.trainer) {
      names.append("\(OLMoDirectory.trainer).pt")
    }
    var steps: [ConversionTask.Step] = []
    for name in names where try input.appending(name).status() != nil {
      steps.append(
        .init(
          source: input.appending(name).text, target: .file(directory.appending(name).text),
          action: .carry))
    }
    return steps
  }

  /// Returns the state dicts to convert.
  ///
  /// The trainer state is converted on request. On the way back it is also converted if there is no
  /// `train.pt`.
  private func convertedStates(of input: FilePath) throws(CheckpointError) -> [String] {
    let trainer = OLMoDirectory.trainer
    let converts =
      switch options.format {
      case .safetensors: options.convertsTrainerState
      case .torch: try input.appending("\(trainer).pt").status() == nil
      }
    return OLMoDirectory.states + (converts ? [trainer] : [])
  }

  private func sourceName(_ state: String) -> String {
    "\(state).\(options.format.source.fileExtension)"
  }

  /// Returns the action for a file in `directory`; `nil` for the standard output.
  private func action(in directory: FilePath?) throws(CheckpointError) -> ConversionTask.Action {
    switch options.format {
    case .safetensors:
      guard let directory else { return .encodeSafetensors(options.layout ?? .plain) }
      return .encodeSafetensors(try OLMoDirectory.layout(options.layout, in: directory))
    case .torch: return .encodeTorch
    }
  }
}

/// The tasks of a run, and the inputs that cannot be converted.
public struct ConversionPlan: Sendable {
  /// The tasks, in the order of the inputs.
  public var tasks: [ConversionTask] = []
  /// The inputs that do not exist or are not checkpoints, with their errors.
  public var failures: [(input: String, error: CheckpointError)] = []
}

/// One input with all of its outputs.
public struct ConversionTask: Sendable {
  /// An action on one file.
  @nonexhaustive
  public enum Action: Hashable, Sendable {
    /// Convert it to safetensors with a layout.
    case encodeSafetensors(Layout)
    /// Convert it to safetensors shards with an index.
    ///
    /// A shard has at most `maximumByteCount` bytes of tensors; `nil` keeps the shards of the input.
    /// The target is the name of a single file with all tensors.
    case encodeShards(maximumByteCount: Int?)
    /// Convert it to a `.pt` file.
    case encodeTorch
    /// Convert the model, the optimizer state and the other entries to one file each.
    ///
    /// They are safetensors files with that layout, or `.pt` files for `nil`. The target is the file of
    /// the model.
    case encodeParts(Layout?)
    /// Copy it unchanged.
    case carry
  }

  /// One source file with its output.
  public struct Step: Sendable {
    /// The source file.
    public var source: String
    /// The output path.
    public var target: OutputTarget
    /// The action.
    public var action: Action
  }

  /// The file or directory that was given.
  public var input: String
  /// The steps.
  ///
  /// All of their outputs appear, or none.
  public var steps: [Step]
  /// The output directory, which is created if needed.
  public var directory: String?
  /// Whether the directory is for the outputs of this task alone: a new one appears complete or not
  /// at all.
  public var ownsDirectory = false
  /// Whether the names of the outputs are unknown until the input is read.
  package var decidesNamesLate: Bool {
    steps.contains { step in
      switch step.action {
      case .encodeShards, .encodeParts: true
      case .encodeSafetensors, .encodeTorch, .carry: false
      }
    }
  }
}

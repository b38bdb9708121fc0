internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
public import CkptCopy
internal import CkptFormats
public import CkptSkeleton

/// Decides what is written where, before anything is read or written.
struct ConversionPlanner {
  let options: ConversionOptions
  let destination: Destination

  /// What to do for `inputs`.
  ///
  /// - Throws: `inputOutput` for an input that does not exist; `unsupported` for a directory that is
  ///   not a checkpoint, for outputs that would get one name, and for a manifest that would have the
  ///   name of one of these files.
  func tasks(for inputs: [String]) throws(CheckpointError) -> [ConversionTask] {
    var tasks: [ConversionTask] = []
    var writers: [ExactString: String] = [:]
    for input in inputs {
      let task = try task(for: FilePath(input), isOnlyInput: inputs.count == 1)
      for output in task.steps.compactMap(\.target.path) {
        if let other = writers.updateValue(input, forKey: ExactString(output)) {
          throw CheckpointError(
            .unsupported, "'\(other)' and '\(input)' would both be written to '\(output)'",
            remedy: "convert them one at a time with different outputs")
        }
      }
      tasks.append(task)
    }
    if let manifest = options.manifest {
      let steps = tasks.flatMap(\.steps)
      try FilePath(manifest).requireApart(
        from: steps.map(\.source) + steps.compactMap(\.target.path))
    }
    return tasks
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
    let name = input.name(withExtension: options.format.fileExtension)
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
    task.steps = [
      .init(source: input.text, target: target, action: try action(in: input.directory))
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
        .unsupported, "a directory has several outputs; standard output takes one",
        remedy: "give one file of it, such as '\(input.appending(sourceName("model")).text)'")
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
    guard !steps.isEmpty else { throw OLMoDirectory.notACheckpoint(input) }
    if directory != input { steps += try carriedSteps(from: input, to: directory) }
    return ConversionTask(
      input: input.text, steps: steps, directory: directory == input ? nil : directory.text)
  }

  /// The files that go along as they are.
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

  /// The state dicts that are converted.
  ///
  /// The trainer's own state is converted when asked for, and on the way back when there is nothing
  /// else to have it from.
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

  private func action(in directory: FilePath) throws(CheckpointError) -> ConversionTask.Action {
    switch options.format {
    case .safetensors:
      .encodeSafetensors(try OLMoDirectory.layout(options.layout, in: directory))
    case .torch: .encodeTorch
    }
  }
}

/// One input with everything that will be written for it.
public struct ConversionTask: Sendable {
  /// What happens to one file.
  public enum Action: Hashable, Sendable {
    /// It becomes a safetensors file of that layout.
    case encodeSafetensors(Layout)
    /// It becomes a `.pt` file.
    case encodeTorch
    /// It is copied as it is.
    case carry
  }

  /// One file that is read and the file that is written for it.
  public struct Step: Sendable {
    /// The file that is read.
    public var source: String
    /// The place that is written to.
    public var target: OutputTarget
    /// What happens to it.
    public var action: Action
  }

  /// The file or directory that was given.
  public var input: String
  /// What is written for it; all of it appears, or nothing.
  public var steps: [Step]
  /// The directory the outputs go to, which is made where it does not exist.
  public var directory: String?
}

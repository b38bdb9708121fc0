internal import CkptBase
public import CkptCheckpoints
internal import CkptCompare
public import CkptCopy
public import CkptFormats
package import CkptJSON
internal import CkptPlan
public import CkptSkeleton

/// Converts checkpoints: reads a graph, encodes it as a plan, has the plan carried out.
public struct Conversion: Sendable {
  /// A file that has been written.
  public struct Output: Hashable, Sendable {
    /// The file that was read.
    public var source: String
    /// The place that it was written to.
    public var target: OutputTarget
    /// The format it was converted to; `nil` for a file that was carried along.
    public var format: CheckpointFormat?
    /// How its tensors are named; `nil` for other files than safetensors.
    public var layout: Layout?
    /// How many tensors it holds, counted once under each of their names.
    public var tensorCount: Int
    /// How many names share the bytes of another.
    public var aliasCount: Int
    /// Its size in bytes.
    public var byteCount: Int
    /// What the user should know.
    public var warnings: [String]

    /// The path of the file that was written, or `-` for the standard output.
    public var path: String { target.description }

    package init(
      source: String, target: OutputTarget, format: CheckpointFormat?, layout: Layout?,
      tensorCount: Int, aliasCount: Int, byteCount: Int, warnings: [String]
    ) {
      self.source = source
      self.target = target
      self.format = format
      self.layout = layout
      self.tensorCount = tensorCount
      self.aliasCount = aliasCount
      self.byteCount = byteCount
      self.warnings = warnings
    }
  }

  private let options: ConversionOptions

  /// Conversions that follow `options`.
  public init(_ options: ConversionOptions) { self.options = options }

  /// Conversions to `format` without further choices.
  public init(to format: CheckpointFormat) { self.init(ConversionOptions(to: format)) }

  /// The tasks for `inputs`, decided by their names and places alone.
  ///
  /// - Throws: `inputOutput` for an input that does not exist; `unsupported` for a directory that is
  ///   not a checkpoint, and for outputs that would get one name or replace an input.
  public func tasks(
    for inputs: [String], to destination: Destination
  ) throws(CheckpointError) -> [ConversionTask] {
    let plan = try plan(for: inputs, to: destination)
    if let failure = plan.failures.first { throw failure.error }
    return plan.tasks
  }

  /// The tasks for those of `inputs` that can be converted, and the faults of the others.
  ///
  /// - Throws: `unsupported` for outputs that would get one name or replace an input.
  public func plan(
    for inputs: [String], to destination: Destination
  ) throws(CheckpointError) -> ConversionPlan {
    try ConversionPlanner(options: options, destination: destination).plan(for: inputs)
  }

  /// How many bytes a task will write, found out without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  public func measure(_ task: ConversionTask) throws(CheckpointError) -> Int {
    var total = 0
    for step in task.steps {
      total += try PreparedOutput.outputs(of: step, options).reduce(0) { $0 + $1.plan.byteCount }
    }
    return total
  }

  /// Does one task: all of its outputs appear, or none.
  ///
  /// - Parameters:
  ///   - task: what ``tasks(for:to:)`` decided.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: the files written.
  /// - Throws: ``CheckpointError`` with the file, archive entry or tensor in its path.
  @discardableResult
  public func run(
    _ task: ConversionTask,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> [Output] {
    var prepared: [PreparedOutput] = []
    for step in task.steps { prepared += try PreparedOutput.outputs(of: step, options) }
    guard options.optimizerNames == nil || prepared.contains(where: \.isOptimizer) else {
      throw OptimizerNames.nothingToName("there is no optimizer's state here")
        .framed(by: task.input)
    }
    let whole = try wholeDirectory(of: task)
    let directories = whole == nil && task.directory != nil ? OutputDirectories() : nil
    do throws(CheckpointError) {
      try write(prepared, of: task.input, in: whole, directories, progress: progress)
      try whole?.commit(synchronizing: options.writing.synchronizes)
    } catch {
      let paths = prepared.map(\.output.target.path) + [options.manifest]
      whole?.discard(paths.compactMap { $0.map { FilePath($0).name } })
      directories?.discard()
      throw error
    }
    return prepared.map(\.output)
  }

  /// Converts one input: all of its outputs appear, or none.
  ///
  /// - Parameters:
  ///   - input: a file, or the directory of a checkpoint.
  ///   - destination: where the outputs go.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: the files written.
  /// - Throws: ``CheckpointError`` as ``tasks(for:to:)`` and ``run(_:progress:)`` do.
  @discardableResult
  public func convert(
    _ input: String, to destination: Destination = .besideInput,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> [Output] {
    var outputs: [Output] = []
    for task in try tasks(for: [input], to: destination) {
      outputs += try run(task, progress: progress)
    }
    return outputs
  }

  // MARK: Writing

  /// The new directory that appears with all outputs of `task`; `nil` where they go among others.
  private func wholeDirectory(
    of task: ConversionTask
  ) throws(CheckpointError) -> StagedDirectory? {
    guard let path = task.directory, task.ownsDirectory, try StagedDirectory.canAppear(at: path)
    else { return nil }
    return try StagedDirectory(path: path, hidden: options.hiddenDirectory)
  }

  private func write(
    _ prepared: [PreparedOutput], of input: String, in whole: StagedDirectory?,
    _ directories: OutputDirectories?,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) {
    var outputs: [OpenOutput] = []
    for item in prepared {
      let target = whole?.place(of: item.output.target) ?? item.output.target
      outputs.append(try target.open(options.writing, in: directories))
    }
    var staged = outputs.compactMap(\.file)
    let manifest = try stageManifest(in: whole)
    var series = PlanSeries(
      prepared.map(\.plan), budget: options.budget,
      progress: progress)
    // Asked for all files before the first is written.
    if let first = staged.first {
      try FreeSpace.require(series.byteCount, in: first.scratchDirectory)
    }
    for (item, output) in zip(prepared, outputs) {
      let source = item.output.source
      try series.run(item.plan, into: output.destination, from: source)
      guard options.verifiesOutputs, let file = output.file else { continue }
      try CheckpointError.within(source) { () throws(CheckpointError) in
        try OutputVerification.require(
          item, in: file.makeSource(), budget: options.budget, progress: progress)
      }
    }
    if let manifest {
      try Manifest.make(of: input, options.reading, budget: options.budget, progress: progress).0
        .write(into: manifest)
      staged.append(manifest)
    }
    try StagedOutput.commit(staged)
  }

  private func stageManifest(in whole: StagedDirectory?) throws(CheckpointError) -> StagedOutput? {
    guard let path = options.manifest else { return nil }
    let target = whole?.place(of: .file(path)) ?? .file(path)
    return try target.open(options.writing).file
  }
}

/// What the caller decides about a conversion.
public struct ConversionOptions: Sendable {
  /// The format that is written.
  public var format: CheckpointFormat
  /// Options for reading the inputs.
  public var reading = ReadingOptions()
  /// Options for writing the files.
  public var writing = WritingOptions()
  /// How tensors are named; `nil` for what suits the place of the input.
  public var layout: Layout?
  /// Options for encoding safetensors files; ``layout`` decides theirs.
  public var safetensors = SafetensorsOptions()
  /// The most bytes of tensors in one safetensors file, unless one tensor alone has more; `nil` for one
  /// file, or as many as the input's where that has several.
  public var maximumShardByteCount: Int?
  /// Whether a directory's `train.pt` is converted instead of carried along.
  public var convertsTrainerState = false
  /// Whether the metadata of a safetensors file without a skeleton goes along in a `.pt` file.
  public var keepsMetadata = true
  /// How an optimizer's state refers to parameters; `nil` for as it does.
  public var optimizerNames: OptimizerNames?
  /// Whether names with dots become nested dicts.
  public var nestsNames = false
  /// Whether outputs are read again and compared with their sources before they get their names.
  public var verifiesOutputs = false
  /// Where a manifest of the input goes; `nil` for none.
  public var manifest: String?
  /// What it may use of the machine.
  public var budget = CopyBudget()
  /// The hidden directory in which the files of a new directory are until all are complete; `nil` for
  /// a new one beside the output.
  package var hiddenDirectory: String?

  /// Whether outputs hold all that inputs hold, so that these can be made again from them.
  ///
  /// An optimizer's state that is keyed anew does not tell how it was keyed, and shards hold tensors
  /// alone.
  public var keepsEverything: Bool {
    guard optimizerNames == nil, maximumShardByteCount == nil else { return false }
    switch format {
    case .safetensors: return safetensors.includesSkeleton
    case .torch: return !reading.ignoresSkeleton && keepsMetadata && !nestsNames
    }
  }

  /// The defaults for conversions to `format`.
  public init(to format: CheckpointFormat = .safetensors) { self.format = format }
}

/// Where outputs go.
public enum Destination: Hashable, Sendable {
  /// Beside each input, under its name with the new extension.
  case besideInput
  /// A file or a directory.
  case path(String)
  /// The standard output.
  case standardOutput
}

/// What a run of conversions did, for scripts.
public struct ConversionReport: Sendable {
  /// The files written.
  public var outputs: [Conversion.Output] = []
  /// The inputs that failed and why.
  public var failures: [(input: String, error: CheckpointError)] = []

  /// A report of nothing.
  public init() {}

  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public func json(_ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.key("outputs")
    json.beginArray()
    for output in outputs { output.write(to: &json) }
    json.endArray()
    json.write(failures, wording)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

extension Conversion.Output {
  /// Writes what is told of a file as an object.
  package func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("source", source)
    json.member("path", path)
    json.member("format", format?.rawValue)
    json.member("layout", layout?.rawValue)
    json.member("tensors", tensorCount)
    json.member("aliases", aliasCount)
    json.member("bytes", byteCount)
    json.member("warnings", warnings)
    json.endObject()
  }
}

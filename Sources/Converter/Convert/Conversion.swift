internal import CkptBase
public import CkptCheckpoints
internal import CkptCompare
public import CkptCopy
public import CkptFormats
package import CkptJSON
internal import CkptPlan
public import CkptSkeleton

/// Converts checkpoints: reads a graph, encodes it as a plan and runs the plan.
public struct Conversion: Sendable {
  /// An output file.
  public struct Output: Hashable, Sendable {
    /// The source file.
    public var source: String
    /// The output path.
    public var target: OutputTarget
    /// The format of a converted file; `nil` for a copied one.
    public var format: CheckpointFormat?
    /// The naming of tensors in a safetensors file; `nil` for other files.
    public var layout: Layout?
    /// The number of tensors; a tensor with several names counts once for each.
    public var tensorCount: Int
    /// The number of names that share the bytes of another.
    public var aliasCount: Int
    /// The size in bytes.
    public var byteCount: Int
    /// Warnings for the user.
    public var warnings: [String]
    /// The prefix of a wrapper that all names begin with and that could be removed, or `nil`.
    public var wrapper: String?

    /// The output path, or `-` for the standard output.
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

  /// Creates a converter with `options`.
  public init(_ options: ConversionOptions) { self.options = options }

  /// Creates a converter to `format` with default options.
  public init(to format: CheckpointFormat) { self.init(ConversionOptions(to: format)) }

  /// Returns the tasks for `inputs`, from their names and locations alone.
  ///
  /// - Throws: `inputOutput` for a missing input; `unsupported` for a directory that is not a
  ///   checkpoint, and for outputs that share a name or replace an input.
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

  /// Returns the number of bytes that a task will write, without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  public func measure(_ task: ConversionTask) throws(CheckpointError) -> Int {
    var total = 0
    for step in task.steps {
      total += try PreparedOutput.outputs(of: step, options).reduce(0) { $0 + $1.plan.byteCount }
    }
    return total
  }

  /// Runs one task.
  ///
  /// All of its outputs appear, or none.
  ///
  /// - Parameters:
  ///   - task: a result of ``tasks(for:to:)``.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the output files.
  /// - Throws: ``CheckpointError`` with the file, archive entry or tensor in its path.
  @discardableResult
  public func run(
    _ task: ConversionTask,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> [Output] {
    var prepared: [PreparedOutput] = []
    for step in task.steps { prepared += try PreparedOutput.outputs(of: step, options) }
    guard options.optimizerNames == nil || prepared.contains(where: \.isOptimizer) else {
      throw OptimizerNames.nothingToName("this is not an optimizer state")
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

  /// Converts one input.
  ///
  /// All of its outputs appear, or none.
  ///
  /// - Parameters:
  ///   - input: a file, or the directory of a checkpoint.
  ///   - destination: the place of the outputs.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the output files.
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
    // All files are checked before the first is written.
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

/// The caller's choices for a conversion.
public struct ConversionOptions: Sendable {
  /// The output format.
  public var format: CheckpointFormat
  /// The options for reading inputs.
  public var reading = ReadingOptions()
  /// The options for writing files.
  public var writing = WritingOptions()
  /// The naming of tensors; `nil` chooses it by the location of the input.
  public var layout: Layout?
  /// The options for encoding safetensors files; ``layout`` overrides their layout.
  public var safetensors = SafetensorsOptions()
  /// The maximum number of bytes of tensors in one safetensors file; `nil` for one file, or for the
  /// shards of the input.
  ///
  /// A larger tensor gets a file of its own.
  public var maximumShardByteCount: Int?
  /// Whether the `train.pt` of a directory is converted, not copied.
  public var convertsTrainerState = false
  /// Whether a `.pt` file keeps the metadata of a safetensors file without a skeleton.
  public var keepsMetadata = true
  /// The parameter names of an optimizer state; `nil` keeps them.
  public var optimizerNames: OptimizerNames?
  /// The container of `.pt` files; `nil` for the one that each file was made from, or a ZIP archive.
  public var torchContainer: TorchContainer?
  /// The part of the input to convert, and changes to it.
  public var selection = Selection()
  /// Whether names with dots become nested dicts.
  public var nestsNames = false
  /// Whether to read outputs again and compare them with their sources before they appear.
  public var verifiesOutputs = false
  /// The path of a manifest of the input; `nil` for none.
  public var manifest: String?
  /// The resources that the conversion may use.
  public var budget = CopyBudget()
  /// The hidden directory in which the files of a new directory are until all are complete; `nil` for
  /// a new one beside the output.
  package var hiddenDirectory: String?

  /// Whether the inputs can be restored from the outputs.
  ///
  /// An optimizer state with new parameter names does not record the old ones, and shards hold only
  /// tensors.
  public var keepsEverything: Bool {
    guard optimizerNames == nil, maximumShardByteCount == nil, selection.isWhole else {
      return false
    }
    switch format {
    case .safetensors: return safetensors.includesSkeleton
    case .torch:
      return !reading.ignoresSkeleton && keepsMetadata && !nestsNames && torchContainer == nil
    }
  }

  /// Creates the default options for conversions to `format`.
  public init(to format: CheckpointFormat = .safetensors) { self.format = format }
}

/// A destination of outputs.
public enum Destination: Hashable, Sendable {
  /// Beside each input, with the new extension.
  case besideInput
  /// A file or a directory.
  case path(String)
  /// The standard output.
  case standardOutput
}

/// The report of a run of conversions.
public struct ConversionReport: Sendable {
  /// The output files.
  public var outputs: [Conversion.Output] = []
  /// The inputs that failed, with their errors.
  public var failures: [(input: String, error: CheckpointError)] = []

  /// Creates an empty report.
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
  /// Writes the description of a file as an object.
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

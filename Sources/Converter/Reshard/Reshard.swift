package import CkptBase
internal import CkptCheckpoints
package import CkptCompare
package import CkptCopy
internal import CkptDistributed
public import CkptFormats
internal import CkptGraph
public import CkptHuggingFace
internal import CkptYAML

/// Writes a distributed checkpoint of a checkpoint of any kind, which any number of ranks can load.
public struct Reshard: Sendable {
  /// The caller's choices.
  public struct Options: Sendable {
    /// The options for the output directory.
    public var folder = DirectoryOptions()
    /// The program that loads the output.
    public var target = ReshardTarget.torch
    /// The number of ranks that tensors are cut for; `nil` cuts them by size.
    public var rankCount: Int?
    /// The maximum size of a chunk in bytes, unless a row is larger; `nil` for 128 MiB.
    public var chunkByteCount: Int?
    /// The form of the optimizer state; `nil` for the one that the program writes.
    public var optimizerForm: OptimizerForm?
    /// Whether PyTorch 2.3 or older loads the output.
    public var isForOldTorch = false

    /// The maximum of ``rankCount``.
    public static let maximumRankCount = 1 << 16

    /// Creates the default options.
    public init() {}
  }

  var options: Options

  /// Creates a converter with `options`.
  public init(_ options: Options = Options()) { self.options = options }

  /// Converts the checkpoint `input` to the directory `output`, which appears complete or not at all.
  ///
  /// - Parameters:
  ///   - input: a file, or the directory of a checkpoint.
  ///   - output: a new or empty directory.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Returns: the output files, and notes about everything that was added or left out.
  /// - Throws: ``CheckpointError`` with the file or tensor in its path.
  public func run(
    _ input: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> DirectoryReport {
    try convert(input, to: output, progress: progress)
  }

  // MARK: Plan

  /// Plans the output directory, without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  package func plan(
    _ input: FilePath, _ output: String
  ) throws(CheckpointError) -> DirectoryPlan {
    var plan = DirectoryPlan(output)
    let state = try TrainingState(of: input, options.folder.reading)
    for warning in state.warnings { plan.warn(Notice(warning)) }
    let carried = try CarriedFiles(of: input, for: options.target)
    let parts = try CheckpointError.within(input.text) { () throws(CheckpointError) in
      try arrangedParts(of: state, input, inner: carried.inner, &plan)
    }
    var (tensorCount, chunkCount) = (0, 0)
    for part in parts {
      let encoder = try CheckpointError.within(input.text) { () throws(CheckpointError) in
        try DistributedEncoder(part.graph, rule, division)
      }
      tensorCount += encoder.tensorCount
      chunkCount += encoder.chunkCount
      func name(_ file: String) -> String { part.folder.map { "\($0)/\(file)" } ?? file }
      for file in encoder.files() { plan.add(name(file.name), from: input.text, file.plan) }
      note(encoder, &plan)
      // A directory without its metadata is an interrupted save to every reader.
      plan.add(
        name(DistributedPlaces.metadata), from: input.text, bytes: encoder.metadata())
    }
    for file in carried.files { try plan.add(file.name, copyOf: file.source) }
    for note in carried.notes { plan.note(Notice(note)) }
    plan.note(
      Notice(
        "\(tensorCount.pluralized("tensor")) in \(chunkCount.pluralized("chunk"))"
          + (options.rankCount.map { " for \($0.pluralized("rank"))" } ?? "")))
    return plan
  }

  /// A distributed checkpoint of the output.
  private struct Part {
    /// Its folder; `nil` for the directory itself.
    var folder: String?
    /// The state dict as the root of a graph.
    var graph: TensorGraph
  }

  /// Returns the distributed checkpoints of the output.
  private func arrangedParts(
    of state: TrainingState, _ input: FilePath, inner: Bool, _ plan: inout DirectoryPlan
  ) throws(CheckpointError) -> [Part] {
    var graph = state.graph
    var arrangement = OptimizerArrangement(
      target: options.target, form: options.optimizerForm,
      peakRate: try PeakRate.read(from: input))
    let model = try ModelNames.clean(state.model, in: &graph)
    var optimizer: (key: String, root: NodeID)?
    if let found = state.optimizer {
      let root = try arrangement.arrange(found.root, of: model, in: &graph)
      optimizer = (options.target.optimizerKey ?? found.key, root)
    }
    note(arrangement, &plan)
    func root(
      _ entries: [(key: String, root: NodeID)], _ others: [(key: NodeID, value: NodeID)] = []
    ) throws(CheckpointError) -> TensorGraph {
      var dict: [(key: NodeID, value: NodeID)] = []
      var graph = graph
      for entry in entries { dict.append((try graph.addString(entry.key), entry.root)) }
      graph.root = try graph.addDict(dict + others)
      return graph
    }
    if options.target == .olmoCore { try ModelNames.requireOLMoCore(model, in: graph) }
    let both = [("model", model)] + [optimizer].compactMap(\.self)
    switch options.target {
    case .torch:
      let entries = graph.entries(of: model) ?? []
      return [
        Part(
          folder: nil,
          graph: state.isAnyTree
            ? try root([optimizer].compactMap(\.self), entries) : try root(both, state.others))
      ]
    case .olmo, .olmoCore:
      noteOthers(state, &plan)
      return [Part(folder: inner ? DistributedPlaces.inner : nil, graph: try root(both))]
    case .torchtitan:
      noteOthers(state, &plan)
      let entries = graph.entries(of: model) ?? []
      return [Part(folder: nil, graph: try root([optimizer].compactMap(\.self), entries))]
    case .accelerate:
      noteOthers(state, &plan)
      var parts = [Part(folder: DistributedPlaces.model + "0", graph: try root([("model", model)]))]
      if let optimizer {
        parts.append(Part(folder: DistributedPlaces.optimizer + "0", graph: try root([optimizer])))
      }
      return parts
    }
  }

  private var rule: FlatteningRule {
    options.isForOldTorch || options.target == .olmo ? .untilTorch23 : .current
  }

  private var division: ChunkDivision {
    if let count = options.rankCount { return .ranks(count) }
    return options.chunkByteCount.map { .byteCount($0) } ?? .usual
  }

  // MARK: Notes

  private func note(_ encoder: DistributedEncoder, _ plan: inout DirectoryPlan) {
    if encoder.integerKeyCount > 0 {
      plan.note(
        Notice("integer keys became strings: \(encoder.integerKeyCount.pluralized("key"))"))
    }
    for name in encoder.emptyDicts.prefix(Self.namedDicts) {
      plan.note(Notice("the dict '\(name)' is empty and was not stored"))
    }
    if encoder.emptyDicts.count > Self.namedDicts {
      plan.note(
        Notice("\(encoder.emptyDicts.count - Self.namedDicts) more dicts are empty"))
    }
  }

  /// The number of empty dicts that are named; the others are counted.
  private static let namedDicts = 4

  private func note(_ arrangement: OptimizerArrangement, _ plan: inout DirectoryPlan) {
    if !arrangement.added.isEmpty {
      plan.note(
        Notice("added to param groups: \(arrangement.added.joined(separator: ", "))"))
    }
    if !arrangement.dropped.isEmpty {
      plan.note(
        Notice(
          "dropped from the optimizer state: \(arrangement.dropped.joined(separator: ", "))"))
    }
    guard arrangement.lacksPeakRate else { return }
    let text = "param groups have no initial_lr, from which schedulers compute the learning rate"
    if options.target == .olmoCore { plan.warn(Notice(text)) } else { plan.note(Notice(text)) }
  }

  private func noteOthers(_ state: TrainingState, _ plan: inout DirectoryPlan) {
    guard !state.others.isEmpty else { return }
    let names = state.others.prefix(8).map { state.graph.description(of: $0.key, limit: 60) }
    plan.warn(
      Notice(
        "not included, because \(options.target.rawValue) does not load it: "
          + names.joined(separator: ", ") + (state.others.count > 8 ? ", ..." : "")))
  }

  // MARK: Verification

  /// Compares the written directory with the state that its encoder restores.
  ///
  /// - Throws: the errors of reading.
  package func verify(
    _ input: FilePath, _ written: String, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyReport {
    var unused = DirectoryPlan(written)
    let state = try TrainingState(of: input, options.folder.reading)
    let carried = try CarriedFiles(of: input, for: options.target)
    var parts: [(Checkpoint, String, String)] = []
    for part in try arrangedParts(of: state, input, inner: carried.inner, &unused) {
      let graph = try DistributedEncoder(part.graph, rule, division).restoredGraph()
      parts.append(
        (
          Checkpoint(graph: graph, container: nil), input.text,
          part.folder.map { FilePath(written).appending($0).text } ?? written
        ))
    }
    return try compare(parts, of: input, written, progress)
  }
}

extension Reshard: DirectoryConversion {
  /// The options for the output directory.
  package var folder: DirectoryOptions {
    get { options.folder }
    set { options.folder = newValue }
  }

  /// Whether nothing is left out.
  package var keepsEverything: Bool { options.target == .torch }

  /// Whether the files include a model, or are parts of one checkpoint.
  package func takes(directoryHolding names: Set<String>) -> Bool {
    CheckpointFile.needsWholeDirectory(names) || CheckpointNames.holdsStates(names)
  }

  /// Returns the files of the states, or the directory itself, and the files to copy.
  ///
  /// - Throws: `inputOutput` if the input does not exist.
  package func sources(of input: String) throws(CheckpointError) -> [String] {
    let place = FilePath(input)
    let carried = try CarriedFiles(of: place, for: options.target).files.map(\.source)
    let files = try TrainingState.files(of: place).map(\.path)
    return (files.isEmpty ? [input] : files) + carried
  }
}

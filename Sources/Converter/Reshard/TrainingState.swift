internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptGraph
internal import CkptTorch

/// The model and the optimizer state of a checkpoint of any kind, in one graph.
struct TrainingState {
  /// A graph with all parts; its root means nothing.
  var graph = TensorGraph()
  /// The state dict of the model.
  private(set) var model = TensorGraph.none
  /// Whether the checkpoint is no more than other values: it has no key for a model, and is no dict of
  /// tensors.
  private(set) var isAnyTree = false
  /// The state of the optimizer with its key.
  private(set) var optimizer: (key: String, root: NodeID)?
  /// The entries beside them.
  private(set) var others: [(key: NodeID, value: NodeID)] = []
  /// The files and directories that were read.
  private(set) var sources: [String] = []
  /// Warnings about them.
  private(set) var warnings: [String] = []

  /// Reads the structure of a checkpoint.
  ///
  /// - Throws: `unsupported` for an input without a model, and the errors of reading it.
  init(of input: FilePath, _ options: ReadingOptions) throws(CheckpointError) {
    let files = try Self.files(of: input)
    if files.isEmpty { try readWhole(input, options) }
    for (name, path) in files {
      let root = try read(path, options)
      if name == StateDictParts.model { model = root } else { optimizer = (name, root) }
    }
    try requireDict(model, in: input)
  }

  /// Returns the files of a directory that has one for each state, with the names of the states.
  ///
  /// - Throws: `inputOutput` if the system fails.
  static func files(of input: FilePath) throws(CheckpointError) -> [(name: String, path: String)] {
    guard try input.status()?.isDirectory == true else { return [] }
    var files: [(name: String, path: String)] = []
    for name in OLMoDirectory.states {
      if let path = try OLMoDirectory.file(of: name, in: input) { files.append((name, path)) }
    }
    if !files.contains(where: { $0.name == StateDictParts.model }) {
      guard let weights = try ModelFolder.weights(in: input.text) else { return [] }
      files.insert((StateDictParts.model, weights), at: 0)
    }
    let optimizer = input.appending(HuggingFaceFolder.optimizer)
    if files.count == 1, try optimizer.status() != nil {
      files.append(("optimizer", optimizer.text))
    }
    return files
  }

  /// Reads one checkpoint with all parts in it.
  private mutating func readWhole(
    _ input: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) {
    graph.root = try read(input.text, options)
    let entries = graph.entries(of: graph.root) ?? []
    isAnyTree = !entries.allSatisfy { graph.isTensor($0.value) }
    for part in try StateDictParts.split(&graph) {
      switch part.name {
      case StateDictParts.model:
        model = part.root
        if graph.value(of: StateDictParts.model, in: graph.root) == part.root { isAnyTree = false }
      case StateDictParts.rest: others = graph.entries(of: part.root) ?? []
      default: optimizer = (part.name, part.root)
      }
    }
    try requireDict(model, in: input)
  }

  private mutating func read(
    _ path: String, _ options: ReadingOptions
  ) throws(CheckpointError) -> NodeID {
    let checkpoint = try CheckpointFile.read(path, options)
    sources.append(path)
    warnings += checkpoint.warnings.map { "\(path): \($0)" }
    return try graph.appendNumbered(checkpoint.graph)(checkpoint.graph.root)
  }

  /// Checks that the model is a dict.
  ///
  /// - Throws: `unsupported` if it is not.
  private func requireDict(_ model: NodeID, in input: FilePath) throws(CheckpointError) {
    guard graph.isMapping(model) else {
      throw CheckpointError(
        .unsupported,
        "a model must be a dict, found \(graph.description(of: model, limit: 60))"
      ).framed(by: input.text)
    }
  }
}

extension TensorGraph {
  /// Whether a node is a tensor.
  fileprivate func isTensor(_ node: NodeID) -> Bool {
    if case .tensor = self[node] { true } else { false }
  }
}

package import CkptBase
internal import CkptDistributed
package import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptSkeleton

/// A directory of OLMo-core: a step of its trainer, or the files that `unshard_checkpoint` writes
/// (`olmo_core/distributed/checkpoint/__init__.py`).
package struct OLMoCoreDirectory {
  /// The configuration, in a step and beside unsharded files.
  package static let configuration = HuggingFaceFolder.configuration
  /// The file that its trainer looks for in the directory of a step.
  package static let stepMetadata = ".metadata.json"
  private static let optimizer = "optim"

  /// A state with its path for messages.
  package struct State {
    /// The file or directory.
    package var path: String
    /// The contents.
    package var checkpoint: Checkpoint
  }

  /// The model.
  package let model: State
  /// The optimizer state with nested dicts; `nil` for none.
  package let optimizer: State?

  /// Whether a directory is one of OLMo-core: it has its configuration and a model.
  ///
  /// - Throws: `inputOutput` if a file cannot be read.
  package static func isThere(_ directory: FilePath) throws(CheckpointError) -> Bool {
    let path = directory.appending(configuration)
    guard try path.status()?.isRegular == true,
      try directory.appending(OLMoDirectory.configuration).status() == nil
    else { return false }
    do throws(CheckpointError) {
      return OLMoCoreConfig.describes(try HuggingFaceConfig(path: path.text))
    } catch {
      // A damaged configuration is a fault of the Hugging Face model that it most often belongs to.
      guard error.code.isOfTheInput else { throw error }
      return false
    }
  }

  /// The files that a conversion reads.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package static func sources(in directory: FilePath) throws(CheckpointError) -> [String] {
    let inner = directory.appending(DistributedPlaces.inner)
    let place = try inner.status() == nil ? directory : inner
    var paths = [directory.appending(configuration).text]
    for name in try place.entryNames() where DistributedPlaces.isPart(name) {
      paths.append(place.appending(name).text)
    }
    for state in ["model", optimizer] { paths += try OLMoDirectory.files(of: state, in: directory) }
    return paths
  }

  /// Reads the structure of the states.
  ///
  /// - Throws: `unsupported` for a directory without a model, and the errors of reading.
  package init(
    reading directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) {
    if let file = try OLMoDirectory.file(of: "model", in: directory) {
      model = State(path: file, checkpoint: try CheckpointFile.read(file, options))
      optimizer = try OLMoDirectory.file(of: Self.optimizer, in: directory).map {
        path throws(CheckpointError) in
        try Self.nested(State(path: path, checkpoint: try CheckpointFile.read(path, options)))
      }
      return
    }
    let step = try CheckpointFile.read(directory.text, options)
    var parts: [String: State] = [:]
    for (key, value) in step.graph.entries(of: step.graph.root) ?? [] {
      guard let name = step.graph.name(key) else { continue }
      var part = step
      part.graph.root = value
      part.container = nil
      parts[name] = State(path: directory.text, checkpoint: part)
    }
    guard let model = parts["model"] else {
      throw CheckpointError(
        .unsupported, "this checkpoint has no entry 'model'",
        remedy: "pass the directory of one step of OLMo-core"
      ).framed(by: directory.text)
    }
    self.model = model
    optimizer = try parts[Self.optimizer].map { state throws(CheckpointError) in
      try Self.nested(state)
    }
  }

  private static func nested(_ state: State) throws(CheckpointError) -> State {
    var state = state
    guard FlatOptimizerState.isState(state.checkpoint.graph) else { return state }
    try CheckpointError.within(state.path) { () throws(CheckpointError) in
      try FlatOptimizerState.nest(&state.checkpoint.graph)
    }
    return state
  }
}

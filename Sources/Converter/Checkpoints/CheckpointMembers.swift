package import CkptBase
internal import CkptFormats

/// The files of one side of a comparison.
package struct CheckpointMembers {
  /// A file with tensors, one part of a checkpoint.
  package struct State {
    /// The name of the part: `model`, `optim`, `train`; for a file, its name up to the first dot.
    package let name: String
    /// The file, or the index of its shards.
    package let path: String
  }

  /// The given path.
  package let path: FilePath
  /// Whether it is a directory.
  package let isDirectory: Bool
  /// The parts of the checkpoint.
  package private(set) var states: [State] = []
  /// Whether the directory as a whole is the only part.
  package private(set) var isWholeDirectory = false
  /// The names of the files to compare byte by byte.
  package private(set) var files: [String] = []
  /// The names of files whose contents another file has too.
  package private(set) var passedOver: [String] = []

  /// The names of configurations, which must be on both sides.
  package static let configurations = [
    OLMoDirectory.configuration, HuggingFaceFolder.configuration,
  ]
  private static let tensorSuffixes = [".safetensors", ".bin", ".pt", ".index.json"]

  /// Whether files of that name hold tensors, or are an index of tensors.
  package static func isTensorFile(_ name: String) -> Bool {
    tensorSuffixes.contains { name.hasSuffix($0) }
  }

  /// Finds the files at `path`, by their names alone.
  ///
  /// - Throws: `inputOutput` if the path does not exist, `unsupported` for a directory without a
  ///   checkpoint.
  package init(of path: String) throws(CheckpointError) {
    self.path = FilePath(path)
    guard let status = try self.path.status() else {
      throw .missing(path)
    }
    isDirectory = status.isDirectory
    guard isDirectory else {
      states = [State(name: Self.name(ofFile: self.path.name), path: path)]
      return
    }
    try findStates()
    if states.isEmpty, try CheckpointFile.needsWholeDirectory(Set(self.path.entryNames())) {
      states = [State(name: Self.name(ofFile: self.path.name), path: path)]
      isWholeDirectory = true
      return
    }
    guard !states.isEmpty else { throw OLMoDirectory.notACheckpoint(self.path) }
    try findFiles()
  }

  /// Returns the name of the part in a file.
  package static func name(ofFile name: String) -> String {
    let stem = name.split(separator: ".", maxSplits: 1).first.map(String.init) ?? name
    return stem == "pytorch_model" ? "model" : stem
  }

  /// Returns the part with a name.
  package func state(named name: String) -> State? { states.first { $0.name == name } }

  private mutating func findStates() throws(CheckpointError) {
    for name in OLMoDirectory.states + [OLMoDirectory.trainer] {
      var found = try OLMoDirectory.files(of: name, in: path)
      if found.isEmpty, name == "model", let weights = try ModelFolder.weights(in: path.text) {
        found.append(weights)
      }
      guard let first = found.first else { continue }
      states.append(State(name: name, path: first))
      passedOver += found.dropFirst().map { FilePath($0).name }
    }
  }

  private mutating func findFiles() throws(CheckpointError) {
    let names = try path.entryNames()
    for name in names where !Self.isTensorFile(name) {
      if try path.appending(name).status()?.isRegular == true { files.append(name) }
    }
  }
}

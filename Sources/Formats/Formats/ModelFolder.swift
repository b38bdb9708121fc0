package import CkptBase
package import CkptContainer
internal import CkptSafetensors

/// A model directory of `transformers`.
package enum ModelFolder {
  /// The file names that `transformers` tries, in its order (`modeling_utils.py`,
  /// `_get_resolved_checkpoint_files`).
  private static let names = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json",
  ]
  private static let indexSuffixes = [".safetensors.index.json", ".bin.index.json"]

  /// Returns the file with the weights in `directory`, a whole model or the index of its shards;
  /// `nil` for none.
  ///
  /// - Throws: `inputOutput` if the directory cannot be read, `unsupported` if it has several
  ///   indices with other names.
  package static func weights(in directory: String) throws(CheckpointError) -> String? {
    for name in names {
      let path = FilePath(directory).appending(name)
      if try path.status() != nil { return path.text }
    }
    let names = try FilePath(directory).entryNames()
    let indices = names.filter { name in indexSuffixes.contains { name.hasSuffix($0) } }
    guard indices.count <= 1 else {
      throw CheckpointError(
        .unsupported,
        "this directory has several models: "
          + indices.joined(separator: ", "),
        remedy: "pass the path of one index"
      ).framed(by: directory)
    }
    return indices.first.map { FilePath(directory).appending($0).text }
  }

  /// Returns the names of the files that ``weights(in:)`` would find if the first were not there.
  ///
  /// - Throws: `inputOutput` if the system fails.
  package static func otherWeights(in directory: String) throws(CheckpointError) -> [String] {
    var found: [String] = []
    for name in names where try FilePath(directory).appending(name).status() != nil {
      found.append(name)
    }
    return Array(found.dropFirst())
  }

  /// Whether a directory with these file names holds weights.
  package static func holdsWeights(_ fileNames: Set<String>) -> Bool {
    !fileNames.isDisjoint(with: names)
      || fileNames.contains { name in indexSuffixes.contains { name.hasSuffix($0) } }
  }
}

extension ModelFolder {
  /// Returns the files with the tensors of the checkpoint at `path`: the shards of an index, or the
  /// file itself.
  ///
  /// - Throws: `inputOutput` if the file cannot be read, `malformed` for an index with invalid
  ///   entries.
  package static func shards(of path: String) throws(CheckpointError) -> [String] {
    var look = try SourceLook(at: FileSource(path: path))
    return try CheckpointError.within(path) { () throws(CheckpointError) in
      guard try ShardIndexContainer().recognizesContents(of: &look) else { return [path] }
      let index = try ShardIndexContainer.index(in: &look)
      let directory = FilePath(path).directory
      return index.names.map { directory.appending($0).text }
    }
  }

  /// Returns the same files and the index, and for a directory that is one checkpoint all files in it.
  ///
  /// - Throws: the errors of ``shards(of:)``.
  package static func files(of path: String) throws(CheckpointError) -> [String] {
    if try FilePath(path).status()?.isDirectory == true { return try FilePath(path).files() }
    let shards = try shards(of: path)
    return shards.contains(path) ? shards : [path] + shards
  }
}

/// A model directory as a container, with its weights in one file or in shards with an index.
package struct ModelFolderContainer: DirectoryContainer {
  /// The name of the container.
  package var name: String { "model-folder" }
  /// None: the file with the weights has one.
  package var format: CheckpointFormat? { nil }

  /// False: the file with the weights, or their index, stands for the directory.
  package var needsWholeDirectory: Bool { false }

  /// Creates the container.
  package init() {}

  /// Whether the directory holds weights.
  package func recognizes(entries: Set<String>) -> Bool { ModelFolder.holdsWeights(entries) }

  /// Reads the file or the shards with the weights.
  package func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    guard let weights = try ModelFolder.weights(in: directory.text) else { return nil }
    return try CheckpointFile.read(FileSource(path: weights), options)
  }
}

package import CkptBase
package import CkptContainer
internal import CkptSafetensors

/// A folder with a model as `transformers` saves it.
package enum ModelFolder {
  /// The names that `transformers` looks for, in its order (`modeling_utils.py`,
  /// `_get_resolved_checkpoint_files`).
  private static let names = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json",
  ]
  private static let indexSuffixes = [".safetensors.index.json", ".bin.index.json"]

  /// The file to read for the weights in `directory`, or `nil` where there are none: the whole model
  /// or the index of its shards.
  ///
  /// - Throws: `inputOutput` when the directory cannot be read, `unsupported` when it has several
  ///   indices of other names.
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
        "there are several models in this directory: "
          + indices.joined(separator: ", "),
        remedy: "give the index of one"
      ).framed(by: directory)
    }
    return indices.first.map { FilePath(directory).appending($0).text }
  }

  /// Whether there are weights among the files of a directory that have these names.
  package static func holdsWeights(_ fileNames: Set<String>) -> Bool {
    !fileNames.isDisjoint(with: names)
      || fileNames.contains { name in indexSuffixes.contains { name.hasSuffix($0) } }
  }
}

extension ModelFolder {
  /// The files that have the tensors of the checkpoint at `path`: those that it lists if it is the
  /// index of several, or itself.
  ///
  /// - Throws: `inputOutput` when it cannot be read, `malformed` for an index with entries that cannot
  ///   be meant.
  package static func shards(of path: String) throws(CheckpointError) -> [String] {
    var look = try SourceLook(at: FileSource(path: path))
    return try CheckpointError.within(path) { () throws(CheckpointError) in
      guard try ShardIndexContainer().recognizesContents(of: &look) else { return [path] }
      let index = try ShardIndexContainer.index(in: &look)
      let directory = FilePath(path).directory
      return index.names.map { directory.appending($0).text }
    }
  }

  /// The same, the index included.
  ///
  /// - Throws: what ``shards(of:)`` throws.
  package static func files(of path: String) throws(CheckpointError) -> [String] {
    let shards = try shards(of: path)
    return shards.contains(path) ? shards : [path] + shards
  }
}

/// The folder of a model as a container: its weights are in one file, or in several with an index.
package struct ModelFolderContainer: DirectoryContainer {
  /// Its name.
  package var name: String { "model-folder" }
  /// None: its file has one.
  package var format: CheckpointFormat? { nil }

  /// The container.
  package init() {}

  /// Whether there are weights.
  package func recognizes(entries: Set<String>) -> Bool { ModelFolder.holdsWeights(entries) }

  /// Reads the file with the weights, or the files.
  package func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint? {
    guard let weights = try ModelFolder.weights(in: directory.text) else { return nil }
    return try CheckpointFile.read(FileSource(path: weights), options)
  }
}

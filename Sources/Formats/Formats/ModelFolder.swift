package import Bytes

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
  package static func weights(in directory: String) throws(FormatError) -> String? {
    for name in names {
      let path = FilePath(directory).appending(name)
      if try path.status() != nil { return path.text }
    }
    let names = try FilePath(directory).entryNames()
    let indices = names.filter { name in indexSuffixes.contains { name.hasSuffix($0) } }
    guard indices.count <= 1 else {
      throw FormatError(
        .unsupported,
        "there are several models in this directory: "
          + indices.joined(separator: ", "),
        hint: "give the index of one"
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

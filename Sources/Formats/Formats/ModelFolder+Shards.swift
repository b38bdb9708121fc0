internal import Bytes

extension ModelFolder {
  /// The files that have the tensors of the checkpoint at `path`: those that it lists if it is the
  /// index of several, or itself.
  ///
  /// - Throws: `inputOutput` when it cannot be read, `malformed` for an index with entries that cannot
  ///   be meant.
  package static func shards(of path: String) throws(FormatError) -> [String] {
    let file = try SourceFile.open(path)
    return try FormatError.within(path) { () throws(FormatError) in
      guard try FileKind.sniff(file) == .json, let index = try ShardIndex(reading: file) else {
        return [path]
      }
      let directory = FilePath(path).directory
      return index.names.map { directory.appending($0).text }
    }
  }

  /// The same, the index included.
  ///
  /// - Throws: what ``shards(of:)`` throws.
  package static func files(of path: String) throws(FormatError) -> [String] {
    let shards = try shards(of: path)
    return shards.contains(path) ? shards : [path] + shards
  }
}

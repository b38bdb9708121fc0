internal import Bytes
internal import Converter

/// Where the output of one input belongs.
package struct OutputPlace: Hashable, Sendable {
  /// The directory that corresponds to the one that holds the input.
  package var directory: String
  /// The input's name in it.
  package var name: String

  /// A place for an input called `name`.
  package init(directory: String, name: String) {
    self.directory = directory
    self.name = name
  }

  /// The path that corresponds to the input's.
  var path: String { FilePath(directory).appending(name).text }

  /// A hidden path beside it, the same in every run.
  var hiddenPath: String { FilePath(directory).appending(".ckptconv-\(name).tmp").text }

  /// Whether it is the input itself, because the trees of inputs and outputs are one.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  func isInput(_ input: String) throws(FormatError) -> Bool {
    guard let status = try FilePath(input).status(), let existing = try FilePath(path).status()
    else { return false }
    return existing.inode == status.inode && existing.device == status.device
  }
}

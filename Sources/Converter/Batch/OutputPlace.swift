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

  /// The destination of a conversion of files: that of a directory is one of the same name, that of
  /// a file is in the corresponding directory.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  func destination(of input: String) throws(FormatError) -> Destination {
    guard try FilePath(input).status()?.isDirectory == true else { return .path(directory + "/") }
    // Where the trees of inputs and outputs are one, outputs stand beside what they are made from.
    return try isInput(input) ? .besideInput : .path(path)
  }

  /// Whether it is the input itself, because the trees of inputs and outputs are one.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  func isInput(_ input: String) throws(FormatError) -> Bool {
    try FilePath(path).isSameFile(as: input)
  }
}

internal import CkptBase
internal import CkptConvert

/// The destination of one input's output.
package struct OutputPlace: Hashable, Sendable {
  /// The directory that corresponds to the one of the input.
  package var directory: String
  /// The name of the input in it.
  package var name: String

  /// Creates a place for an input called `name`.
  package init(directory: String, name: String) {
    self.directory = directory
    self.name = name
  }

  /// The path that corresponds to that of the input.
  var path: String { FilePath(directory).appending(name).text }

  /// A hidden path beside it, the same in every run.
  var hiddenPath: String { FilePath(directory).appending(".ckptconv-\(name).tmp").text }

  /// Returns the destination of a conversion: for a directory, one with the same name; for a file,
  /// the corresponding directory.
  ///
  /// - Throws: `inputOutput` if the system fails.
  func destination(of input: String) throws(CheckpointError) -> Destination {
    guard try FilePath(input).status()?.isDirectory == true else { return .path(directory + "/") }
    // If inputs and outputs share one tree, outputs stand beside their inputs.
    return try isInput(input) ? .besideInput : .path(path)
  }

  /// Whether it is the input itself, because inputs and outputs share one tree.
  ///
  /// - Throws: `inputOutput` if the system fails.
  func isInput(_ input: String) throws(CheckpointError) -> Bool {
    try FilePath(path).isSameFile(as: input)
  }
}

/// The destinations of all outputs: the tree below the root mirrors that of the inputs.
package struct OutputTree: Sendable {
  /// The common directory of all inputs, as an absolute path.
  package let commonBase: String
  private let currentDirectory: String

  /// Creates the tree for inputs below `bases`.
  package init(bases: [String], currentDirectory: String) {
    self.currentDirectory = currentDirectory
    let paths = bases.map {
      AbsolutePath.components(of: $0, in: currentDirectory).map(ExactString.init)
    }
    var common = paths.first ?? []
    for path in paths {
      let count = zip(common, path).prefix { $0 == $1 }.count
      common = Array(common.prefix(count))
    }
    commonBase = "/" + common.map(\.text).joined(separator: "/")
  }

  /// Returns the path of an input relative to the common base, which is its name in the batch.
  package func name(of input: String) -> String {
    let base = AbsolutePath.components(of: commonBase, in: currentDirectory)
    let path = AbsolutePath.components(of: input, in: currentDirectory)
    let rest = path.dropFirst(base.count)
    return rest.isEmpty ? (path.last ?? "") : rest.joined(separator: "/")
  }
}

/// Absolute paths by their text alone; links are not resolved.
enum AbsolutePath {
  /// Returns the components of a path, without `.` and `..`.
  static func components(of path: String, in currentDirectory: String) -> [String] {
    let whole = path.begins(with: "/") ? path : currentDirectory + "/" + path
    var components: [String] = []
    for part in whole.parts(between: "/") where !part.isEmpty && part != "." {
      if part == ".." { _ = components.popLast() } else { components.append(String(part)) }
    }
    return components
  }
}

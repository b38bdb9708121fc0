internal import CkptBase
internal import CkptConvert

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
  func destination(of input: String) throws(CheckpointError) -> Destination {
    guard try FilePath(input).status()?.isDirectory == true else { return .path(directory + "/") }
    // Where the trees of inputs and outputs are one, outputs stand beside what they are made from.
    return try isInput(input) ? .besideInput : .path(path)
  }

  /// Whether it is the input itself, because the trees of inputs and outputs are one.
  ///
  /// - Throws: `inputOutput` when the system does not tell.
  func isInput(_ input: String) throws(CheckpointError) -> Bool {
    try FilePath(path).isSameFile(as: input)
  }
}

/// Where the output of each input goes: the tree below the root is that of the inputs.
package struct OutputTree: Sendable {
  /// The directory that all inputs lie below, as an absolute path.
  package let commonBase: String
  private let currentDirectory: String

  /// The tree for inputs that were found below `bases`.
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

  /// The path of an input from the common base: what names it in the batch.
  package func name(of input: String) -> String {
    let base = AbsolutePath.components(of: commonBase, in: currentDirectory)
    let path = AbsolutePath.components(of: input, in: currentDirectory)
    let rest = path.dropFirst(base.count)
    return rest.isEmpty ? (path.last ?? "") : rest.joined(separator: "/")
  }
}

/// Paths from the top, by their text alone: links are not looked at.
enum AbsolutePath {
  /// The components of a path, without `.` and `..`.
  static func components(of path: String, in currentDirectory: String) -> [String] {
    let whole = path.begins(with: "/") ? path : currentDirectory + "/" + path
    var components: [String] = []
    for part in whole.parts(between: "/") where !part.isEmpty && part != "." {
      if part == ".." { _ = components.popLast() } else { components.append(String(part)) }
    }
    return components
  }
}

internal import Bytes
internal import Converter

/// Where the output of each input goes: the tree below the root is that of the inputs.
package struct OutputTree: Sendable {
  /// The directory that all inputs lie below, as an absolute path.
  package let commonBase: String
  private let currentDirectory: String

  /// The tree for inputs that were found below `bases`.
  package init(bases: [String], currentDirectory: String) {
    self.currentDirectory = currentDirectory
    let paths = bases.map { AbsolutePath.components(of: $0, in: currentDirectory) }
    var common = paths.first ?? []
    for path in paths {
      let count = zip(common, path).prefix { $0 == $1 }.count
      common = Array(common.prefix(count))
    }
    commonBase = "/" + common.joined(separator: "/")
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
    let whole = path.hasPrefix("/") ? path : currentDirectory + "/" + path
    var components: [String] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = components.popLast() } else { components.append(String(part)) }
    }
    return components
  }
}

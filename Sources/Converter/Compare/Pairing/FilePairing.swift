public import CkptBase
package import CkptCheckpoints
internal import CkptFormats

/// The pairs of files of two checkpoints, by name and location.
public struct FilePairing: Sendable {
  /// Two files to compare.
  public struct Pair: Sendable {
    /// A file of the first checkpoint.
    public var first: String
    /// The file of the second one.
    public var second: String
    /// Whether they are compared byte by byte, not as checkpoints.
    public var isCarried: Bool

    /// Creates a pair.
    package init(first: String, second: String, isCarried: Bool) {
      (self.first, self.second, self.isCarried) = (first, second, isCarried)
    }
  }

  /// The files to compare, those with tensors first.
  public private(set) var pairs: [Pair] = []
  /// The parts that only one of the checkpoints has.
  public private(set) var differences: [Difference] = []
  /// The files that are not compared.
  public private(set) var notCompared: [String] = []

  /// Finds the files of two checkpoints.
  ///
  /// - Parameters:
  ///   - first: a file, the index of a sharded checkpoint, or a directory.
  ///   - second: the same for the other checkpoint.
  /// - Throws: `inputOutput` if a path does not exist, `unsupported` if nothing can be compared.
  public init(of first: String, and second: String) throws(CheckpointError) {
    let (left, right) = (
      try CheckpointMembers(of: first), try CheckpointMembers(of: second)
    )
    switch (left.isDirectory, right.isDirectory) {
    case (false, false):
      pairs = [Pair(first: first, second: second, isCarried: false)]
    case (true, true): pairDirectories(left, right)
    case (true, false): pairs = [try Self.pair(left, with: right, isFirst: true)]
    case (false, true): pairs = [try Self.pair(right, with: left, isFirst: false)]
    }
  }

  /// The files that a comparison reads.
  ///
  /// - Throws: `inputOutput` if one cannot be opened, `malformed` for an invalid index.
  package var sources: [String] {
    get throws(CheckpointError) {
      var paths: [String] = []
      for pair in pairs {
        for path in [pair.first, pair.second] {
          paths += pair.isCarried ? [path] : try ModelFolder.files(of: path)
        }
      }
      return paths
    }
  }

  /// Returns a common progress for comparing the pairs, which `report` receives.
  ///
  /// - Throws: `inputOutput` if a file cannot be examined.
  package func progress(
    _ report: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> PartProgress {
    PartProgress(
      try pairs.map { pair throws(CheckpointError) in
        var size = 0
        let files = pair.isCarried ? [pair.first] : try ModelFolder.files(of: pair.first)
        for path in files { size += try FilePath(path).byteCount() }
        return size
      }, report: report)
  }

  // MARK: Directories

  private mutating func pairDirectories(_ left: CheckpointMembers, _ right: CheckpointMembers) {
    for state in left.states {
      if let other = right.state(named: state.name) {
        pairs.append(Pair(first: state.path, second: other.path, isCarried: false))
      } else {
        differences.append(
          Difference(.missing, at: state.name, first: FilePath(state.path).name, second: nil))
      }
    }
    for state in right.states where left.state(named: state.name) == nil {
      differences.append(
        Difference(.extra, at: state.name, first: nil, second: FilePath(state.path).name))
    }
    pairFiles(left, right)
    notCompared += left.passedOver.map { "'\(left.path.appending($0).text)'" }
    notCompared += right.passedOver.map { "'\(right.path.appending($0).text)'" }
  }

  private mutating func pairFiles(_ left: CheckpointMembers, _ right: CheckpointMembers) {
    let leftNames = Set(left.files.map { ExactString($0) })
    let rightNames = Set(right.files.map { ExactString($0) })
    for name in left.files where rightNames.contains(ExactString(name)) {
      pairs.append(
        Pair(
          first: left.path.appending(name).text, second: right.path.appending(name).text,
          isCarried: true))
    }
    for name in left.files where !rightNames.contains(ExactString(name)) {
      note(name, onlyIn: left, Difference(.missing, at: name, first: name, second: nil))
    }
    for name in right.files where !leftNames.contains(ExactString(name)) {
      note(name, onlyIn: right, Difference(.extra, at: name, first: nil, second: name))
    }
  }

  /// Records a file without a counterpart; a configuration without one is a difference.
  private mutating func note(
    _ name: String, onlyIn members: CheckpointMembers, _ difference: Difference
  ) {
    if CheckpointMembers.configurations.contains(name) {
      differences.append(difference)
    } else {
      notCompared.append("'\(members.path.appending(name).text)'")
    }
  }

  /// Returns the part of a directory to compare a file with.
  private static func pair(
    _ directory: CheckpointMembers, with file: CheckpointMembers, isFirst: Bool
  ) throws(CheckpointError) -> Pair {
    let other = file.states[0]
    guard
      let state = directory.state(named: other.name)
        ?? (directory.states.count == 1 ? directory.states.first : nil)
    else {
      let names = directory.states.map(\.name).joined(separator: " and ")
      throw CheckpointError(
        .unsupported,
        "'\(directory.path.text)' has \(names), but '\(other.path)' is a file of another name",
        remedy: "pass the file to compare it with, or two directories")
    }
    return isFirst
      ? Pair(first: state.path, second: other.path, isCarried: false)
      : Pair(first: other.path, second: state.path, isCarried: false)
  }
}

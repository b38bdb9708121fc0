internal import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan
internal import CkptSafetensors

/// Whether two checkpoints are the same, bit for bit, whatever files they are in.
public struct Verification: Sendable {
  /// Two files that are compared.
  public struct Pair: Sendable {
    /// A file of the first checkpoint.
    public var first: String
    /// The file of the second one.
    public var second: String
    /// Whether they are compared as files and not as checkpoints.
    public var isCarried: Bool
  }

  /// What became of comparing two files.
  public struct Finding: Sendable {
    /// How much was compared.
    public enum Scope: String, Sendable {
      /// All that the objects are: names, order, types, values, sharing, bytes of tensors.
      case objects
      /// Names, values, and the types, shapes and bytes of tensors.
      case names
      /// Files byte by byte.
      case bytes
    }

    /// The first file, or the manifest.
    public var first: String
    /// The second file.
    public var second: String
    /// How much was compared.
    public var scope: Scope
    /// How many tensors the first one has, counted once under each of their names.
    public var tensorCount = 0
    /// How many other values the first one has.
    public var valueCount = 0
    /// The number of bytes compared: of tensors each once, or of the file.
    public var byteCount = 0
    /// The first differences.
    public var differences: [Difference] = []
    /// How many differences there are.
    public var differenceCount = 0
    /// What was not compared, in words.
    public var notCompared: [String] = []
    /// What the user should know of the files.
    public var warnings: [String] = []
  }

  /// The files that are compared, those with tensors first.
  public private(set) var pairs: [Pair] = []
  /// What only one of the checkpoints has.
  public private(set) var differences: [Difference] = []
  /// Files that are not compared.
  public private(set) var notCompared: [String] = []
  private let budget: CopyBudget

  /// Finds out what is to be compared, by names and places alone.
  ///
  /// - Parameters:
  ///   - first: a file, the index of a checkpoint in several files, or a directory.
  ///   - second: the same for the other checkpoint.
  ///   - budget: what it may use of the machine.
  /// - Throws: `inputOutput` when there is nothing, `unsupported` where nothing can be compared.
  public init(
    of first: String, and second: String, budget: CopyBudget = CopyBudget()
  ) throws(CheckpointError) {
    self.budget = budget
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

  /// The files that are read for it.
  ///
  /// - Throws: `inputOutput` when one cannot be opened, `malformed` for an index that is none.
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

  /// Compares two files.
  ///
  /// - Parameters:
  ///   - pair: one of ``pairs``.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: what is the same and what differs.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public func compare(
    _ pair: Pair, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> Finding {
    if pair.isCarried {
      return try FileVerification.compare(pair.first, pair.second, budget: budget, progress)
    }
    let first = try CheckpointFile.read(pair.first)
    let second = try CheckpointFile.read(pair.second)
    return try Finding(
      first, pair.first, second, pair.second, budget: budget, progress: progress)
  }

  // MARK: Pairs

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
    let (leftNames, rightNames) = (Set(left.files), Set(right.files))
    for name in left.files where rightNames.contains(name) {
      pairs.append(
        Pair(
          first: left.path.appending(name).text, second: right.path.appending(name).text,
          isCarried: true))
    }
    for name in left.files where !rightNames.contains(name) {
      if CheckpointMembers.configurations.contains(name) {
        differences.append(Difference(.missing, at: name, first: name, second: nil))
      } else {
        notCompared.append("'\(left.path.appending(name).text)'")
      }
    }
    for name in right.files where !leftNames.contains(name) {
      if CheckpointMembers.configurations.contains(name) {
        differences.append(Difference(.extra, at: name, first: nil, second: name))
      } else {
        notCompared.append("'\(right.path.appending(name).text)'")
      }
    }
  }

  /// A directory's part that a file is to be compared with.
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
        "'\(directory.path.text)' has \(names), and '\(other.path)' is one file of another name",
        hint: "give the file to compare it with, or two directories")
    }
    return isFirst
      ? Pair(first: state.path, second: other.path, isCarried: false)
      : Pair(first: other.path, second: state.path, isCarried: false)
  }
}

extension Verification.Finding {
  /// Whether nothing differs.
  public var isSame: Bool { differenceCount == 0 }

  /// Adds a difference.
  mutating func add(
    _ kind: Difference.Kind, at place: String, _ first: String, _ second: String
  ) {
    differences.append(Difference(kind, at: place, first: first, second: second))
    differenceCount += 1
  }

  /// Compares two checkpoints.
  init(
    _ first: Checkpoint, _ firstPath: String, _ second: Checkpoint, _ secondPath: String,
    budget: CopyBudget, progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    let comparison = try CheckpointVerification(
      first, second, budget: budget, progress: progress)
    self.init(
      first: firstPath, second: secondPath,
      scope: comparison.scope == .objects ? .objects : .names)
    for leaf in try NamedLeaf.all(of: first.graph) {
      if case .tensor = first.graph[leaf.node] { tensorCount += 1 } else { valueCount += 1 }
    }
    byteCount = comparison.byteCount
    differences = comparison.differences.first
    differenceCount = comparison.differences.count
    notCompared = comparison.notCompared
    warnings =
      first.warnings.map { "\(firstPath): \($0)" } + second.warnings.map { "\(secondPath): \($0)" }
  }
}

/// What a verification found, for scripts.
public struct VerificationReport: Sendable {
  /// The first checkpoint, or the manifest, as it was given.
  public var first: String
  /// The second checkpoint as it was given.
  public var second: String
  /// What became of each pair of files.
  public var findings: [Verification.Finding] = []
  /// What only one of the checkpoints has.
  public var differences: [Difference] = []
  /// What was not compared.
  public var notCompared: [String] = []
  /// The files that could not be compared and why.
  public var failures: [(input: String, error: CheckpointError)] = []

  /// A report of nothing.
  public init(first: String, second: String) {
    self.first = first
    self.second = second
  }

  /// Whether everything was compared and nothing differs.
  public var isSame: Bool { failures.isEmpty && !hasDifferences }

  /// Whether anything that was compared differs.
  public var hasDifferences: Bool {
    !differences.isEmpty || !findings.allSatisfy(\.isSame)
  }

  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("first", first)
    json.member("second", second)
    json.member("same", isSame)
    json.key("files")
    json.beginArray()
    for finding in findings { Self.write(finding, to: &json) }
    json.endArray()
    Self.write(differences, to: &json)
    json.member("not_compared", notCompared)
    json.write(failures)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private static func write(_ finding: Verification.Finding, to json: inout JSONWriter) {
    json.beginObject()
    json.member("first", finding.first)
    json.member("second", finding.second)
    json.member("same", finding.isSame)
    json.member("scope", finding.scope.rawValue)
    json.member("tensors", finding.tensorCount)
    json.member("values", finding.valueCount)
    json.member("bytes", finding.byteCount)
    json.member("difference_count", finding.differenceCount)
    write(finding.differences, to: &json)
    json.member("not_compared", finding.notCompared)
    json.member("warnings", finding.warnings)
    json.endObject()
  }

  static func write(_ differences: [Difference], to json: inout JSONWriter) {
    json.key("differences")
    json.beginArray()
    for difference in differences {
      json.beginObject()
      json.member("place", difference.place)
      json.member("kind", difference.kind.rawValue)
      json.member("first", difference.first)
      json.member("second", difference.second)
      json.endObject()
    }
    json.endArray()
  }
}

extension JSONWriter {
  /// Writes the member `failures`: inputs and why they failed.
  package mutating func write(_ failures: [(input: String, error: CheckpointError)]) {
    key("failures")
    beginArray()
    for failure in failures {
      beginObject()
      member("input", failure.input)
      member("code", failure.error.code.description)
      member("message", failure.error.description)
      member("hint", failure.error.hint)
      endObject()
    }
    endArray()
  }
}

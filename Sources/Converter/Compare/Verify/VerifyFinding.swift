package import CkptBase
public import CkptCopy
public import CkptFormats
internal import CkptGraph
package import CkptPlan
internal import CkptSafetensors

/// The result of comparing two files bit for bit, in any format.
public struct VerifyFinding: Sendable {
  /// The first file, or the manifest.
  public var first: String
  /// The second file.
  public var second: String
  /// The scope of the comparison.
  public var scope: ComparisonScope
  /// The number of tensors of the first file; a tensor with several names counts once for each.
  public var tensorCount = 0
  /// The number of other values of the first file.
  public var valueCount = 0
  /// The number of compared bytes: of all tensors, each once, or of the file.
  public var byteCount = 0
  /// The first differences.
  public var differences: [Difference] = []
  /// The number of differences.
  public var differenceCount = 0
  /// The parts that were not compared, in words.
  public var notCompared: [String] = []
  /// The dtype that the weights of one side were rounded to; `nil` if their bits were compared.
  public var roundedType: String?
  /// Warnings for the user about the files.
  public var warnings: [String] = []

  /// Creates a result without differences.
  package init(first: String, second: String, scope: ComparisonScope) {
    self.first = first
    self.second = second
    self.scope = scope
  }

  /// Whether nothing differs.
  public var isSame: Bool { differenceCount == 0 }

  /// Compares two files.
  ///
  /// - Parameters:
  ///   - pair: one of the pairs of a ``FilePairing``.
  ///   - reading: the options for reading.
  ///   - budget: the threads and memory that it may use.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public init(
    of pair: FilePairing.Pair, _ reading: ReadingOptions = ReadingOptions(),
    budget: CopyBudget = CopyBudget(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    if pair.isCarried {
      try self.init(bytesOf: pair, budget, progress)
    } else {
      try self.init(
        of: CheckpointFile.read(pair.first, reading), pair.first,
        and: CheckpointFile.read(pair.second, reading), pair.second, budget: budget,
        progress: progress)
    }
  }

  /// Compares two checkpoints that were read from these paths.
  ///
  /// - Throws: the errors of ``VerifyComparison``.
  package init(
    of first: Checkpoint, _ firstPath: String, and second: Checkpoint, _ secondPath: String,
    budget: CopyBudget, progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    let comparison = try VerifyComparison(first, second, budget: budget, progress: progress)
    self.init(first: firstPath, second: secondPath, scope: comparison.scope)
    for leaf in try NamedLeaf.all(of: first.graph) {
      if case .tensor = first.graph[leaf.node] { tensorCount += 1 } else { valueCount += 1 }
    }
    byteCount = comparison.byteCount
    add(comparison.differences)
    notCompared = comparison.notCompared
    warnings = first.warnings(ofFile: firstPath) + second.warnings(ofFile: secondPath)
  }

  /// Compares files byte by byte.
  private init(
    bytesOf pair: FilePairing.Pair, _ budget: CopyBudget,
    _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) {
    let files = (try FileSource(path: pair.first), try FileSource(path: pair.second))
    self.init(first: pair.first, second: pair.second, scope: .bytes)
    byteCount = files.0.byteCount
    let name = FilePath(pair.first).name
    guard files.0.byteCount == files.1.byteCount else {
      add(.length, at: name, "\(files.0.byteCount) bytes", "\(files.1.byteCount) bytes")
      return
    }
    let found = try FilePlan.copying(files.0)
      .differences(from: files.1, budget: budget, progress: progress)
    guard !found.isEmpty else { return }
    let bytes = try [files.0, files.1].map { file throws(CheckpointError) in
      try file.bytes(in: found.first..<found.first + 1)[0]
    }
    let others = found.count > 1 ? "; \(found.count) bytes differ" : ""
    add(
      .bytes, at: name, "byte \(found.first) is 0x\(String(bytes[0], radix: 16))",
      "0x\(String(bytes[1], radix: 16))\(others)")
  }

  /// Adds a difference.
  package mutating func add(
    _ kind: Difference.Kind, at place: String, _ first: String, _ second: String
  ) {
    differences.append(Difference(kind, at: place, first: first, second: second))
    differenceCount += 1
  }

  /// Adds differences.
  mutating func add(_ list: DifferenceList) {
    differences += list.first
    differenceCount += list.count
  }
}

/// The scope of a comparison.
@nonexhaustive
public enum ComparisonScope: String, Sendable {
  /// Whole objects: names, order, types, values, sharing, tensor bytes.
  case objects
  /// Names, values, and the types, shapes and bytes of tensors.
  case names
  /// Files byte by byte.
  case bytes
}

extension FilePlan {
  /// Returns the plan of a file with the same bytes.
  package static func copying(_ source: any ByteSource) -> FilePlan {
    let region = FileRegion(source: source, range: 0..<source.byteCount, name: source.name)
    var plan = FilePlan()
    plan.append(.copy(region, range: 0..<source.byteCount))
    return plan
  }

  /// Compares the output of the plan with a source, up to the shorter length, without writing.
  ///
  /// - Throws: the errors of ``CopyEngine/run(_:into:)``.
  package func differences(
    from source: any ByteSource, budget: CopyBudget, progress: CopyEngine.Progress? = nil
  ) throws(CheckpointError) -> ByteDifferences {
    let output = try ComparingOutput(expecting: source)
    try CopyEngine(budget, progress: progress).run(self, into: output)
    return output.differences.first?.found ?? ByteDifferences()
  }
}

extension Checkpoint {
  /// Returns the warnings with the name of their file.
  func warnings(ofFile path: String) -> [String] { warnings.map { "\(path): \($0)" } }
}

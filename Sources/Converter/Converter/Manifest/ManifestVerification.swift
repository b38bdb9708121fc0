internal import Bytes
internal import Codecs
internal import Plan
public import Comparison
public import Formats

/// Whether a checkpoint is what a manifest says.
public struct ManifestVerification: Sendable {
  /// A file and what the manifest says of it.
  public struct Pair: Sendable {
    /// The file.
    public var path: String
    let file: Manifest.File
  }

  /// The files that are compared, those with tensors first.
  public private(set) var pairs: [Pair] = []
  /// What only the manifest or only the checkpoint has.
  public private(set) var differences: [Difference] = []
  /// What is not compared.
  public private(set) var notCompared: [String] = []
  private let manifestPath: String
  private let budget: CopyBudget

  /// Reads a manifest and finds the files that it describes.
  ///
  /// - Parameters:
  ///   - path: a file, the index of a checkpoint in several files, or a directory.
  ///   - manifestPath: the manifest.
  ///   - budget: what it may use of the machine.
  /// - Throws: `inputOutput` when a file is missing, `malformed` for a manifest that is none,
  ///   `unsupported` where nothing can be compared.
  public init(
    of path: String, against manifestPath: String, budget: CopyBudget = CopyBudget()
  ) throws(FormatError) {
    self.manifestPath = manifestPath
    self.budget = budget
    let members = try CheckpointMembers(of: path)
    let manifest = try Manifest(path: manifestPath)
    if members.isDirectory {
      try pairDirectory(members, manifest)
    } else {
      try pairFile(members.states[0], manifest)
    }
  }

  /// Compares a file with what the manifest says of it.
  ///
  /// - Parameters:
  ///   - pair: one of ``pairs``.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Returns: what is the same and what differs.
  /// - Throws: ``FormatError`` with the file in its path.
  public func compare(
    _ pair: Pair, progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> Verification.Finding {
    switch pair.file.content {
    case .bytes(let byteCount, let digest):
      try compareBytes(of: pair, byteCount, digest)
    case .checkpoint(let structure, let entries):
      try compareCheckpoint(pair, structure, entries, progress)
    }
  }

  private func compareCheckpoint(
    _ pair: Pair, _ structure: SHA256.Digest?, _ entries: [Manifest.Entry],
    _ progress: @escaping CopyEngine.Progress
  ) throws(FormatError) -> Verification.Finding {
    let checkpoint = try CheckpointFile.read(pair.path)
    var comparison = try ManifestComparison(checkpoint)
    try comparison.compare(entries, structure: structure, budget: budget, progress: progress)
    let isWhole = structure != nil && checkpoint.tellsStructure
    var finding = Verification.Finding(
      first: manifestPath, second: pair.path, scope: isWhole ? .objects : .names)
    for entry in entries {
      if case .tensor = entry.kind { finding.tensorCount += 1 } else { finding.valueCount += 1 }
    }
    finding.byteCount = comparison.byteCount
    finding.differences = comparison.differences.first
    finding.differenceCount = comparison.differences.count
    finding.notCompared = comparison.notCompared
    finding.warnings = checkpoint.warnings.map { "\(pair.path): \($0)" }
    return finding
  }

  private func compareBytes(
    of pair: Pair, _ byteCount: Int, _ digest: SHA256.Digest
  ) throws(FormatError) -> Verification.Finding {
    var finding = Verification.Finding(first: manifestPath, second: pair.path, scope: .bytes)
    finding.byteCount = byteCount
    let found = try Manifest.File(bytesOf: pair.path, named: pair.file.name)
    guard case .bytes(let foundByteCount, let foundDigest) = found.content else { return finding }
    if foundByteCount != byteCount {
      finding.add(
        .length, at: pair.file.name, "\(byteCount) bytes", "\(foundByteCount) bytes")
    } else if foundDigest != digest {
      finding.add(
        .bytes, at: pair.file.name, "sha256 \(digest.description.prefix(16))...",
        "sha256 \(foundDigest.description.prefix(16))...")
    }
    return finding
  }

  // MARK: Pairs

  private mutating func pairFile(
    _ state: CheckpointMembers.State, _ manifest: Manifest
  ) throws(FormatError) {
    let checkpoints = manifest.files.filter(\.isCheckpoint)
    guard
      let file = checkpoints.count == 1
        ? checkpoints[0] : checkpoints.first(where: { $0.name == state.name })
    else {
      let names = manifest.files.map(\.name).joined(separator: ", ")
      throw FormatError(
        .unsupported,
        "'\(manifestPath)' is a manifest of \(names), and nothing in it is named "
          + "'\(state.name)'",
        hint: "give the directory that the manifest was made of")
    }
    pairs = [Pair(path: state.path, file: file)]
    notCompared = manifest.files.filter { $0.name != file.name }.map { "'\($0.name)'" }
  }

  private mutating func pairDirectory(
    _ members: CheckpointMembers, _ manifest: Manifest
  ) throws(FormatError) {
    var isCovered: Set<String> = []
    let isOnly = members.states.count == 1 && manifest.files.filter(\.isCheckpoint).count == 1
    for file in manifest.files {
      let state = members.state(named: file.name) ?? (isOnly ? members.states.first : nil)
      if file.isCheckpoint, let state {
        isCovered.insert(state.name)
        pairs.append(Pair(path: state.path, file: file))
      } else if !file.isCheckpoint, members.files.contains(file.name) {
        isCovered.insert(file.name)
        pairs.append(Pair(path: members.path.appending(file.name).text, file: file))
      } else {
        differences.append(
          Difference(.missing, at: file.name, first: file.name, second: nil))
      }
    }
    for state in members.states where !isCovered.contains(state.name) {
      differences.append(
        Difference(.extra, at: state.name, first: nil, second: FilePath(state.path).name))
    }
    let others = members.files.filter { !isCovered.contains($0) } + members.passedOver
    notCompared = others.map { "'\(members.path.appending($0).text)'" }
  }
}

extension Manifest.File {
  /// Whether it is a part of the checkpoint and not another file.
  var isCheckpoint: Bool {
    if case .checkpoint = content { true } else { false }
  }
}

public import CkptBase
public import CkptContainer
public import CkptCopy
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors
public import CkptSkeleton
internal import CkptTorch

/// Choices of the caller about how a checkpoint is saved.
public struct SavingOptions: Sendable {
  /// How tensors of a safetensors file are named.
  public var layout = Layout.plain
  /// Whether a safetensors file gets a skeleton, which keeps everything that is no tensor; `nil` for
  /// one only where there is more than a dict of named tensors.
  public var includesSkeleton: Bool?
  /// Whether what a safetensors file without skeleton has no place for is left out with a warning;
  /// otherwise it is an error.
  public var allowsLoss = false
  /// The texts of a safetensors file's `__metadata__`; `nil` for those that the checkpoint came with.
  public var metadata: [(key: String, value: String)]?
  /// Whether a file that exists is replaced, and whether to wait until the disk has the bytes.
  public var writing = WritingOptions()
  /// Threads, memory and cancellation.
  public var budget = CopyBudget()

  /// The defaults.
  public init() {}
}

/// Saving a checkpoint.
extension Checkpoint {
  /// Writes the checkpoint to a file, which appears under its name when it is complete.
  ///
  /// A `.pt` file is one that `torch.load` opens. A safetensors file that holds nothing but named
  /// tensors is the one that `safetensors` itself writes. Elements go from file to file, so that a
  /// checkpoint may be larger than memory, and may replace the file it was read from.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - format: the format; `nil` for that of the path's extension: `safetensors`, or `pt`, `pth` and
  ///     `bin` for `torch.save`.
  ///   - options: names, metadata, what may be lost.
  ///   - progress: is told the bytes done and to do, from any thread but never twice at once.
  /// - Returns: warnings about what the file does not keep.
  /// - Throws: ``CheckpointError``: `inputOutput` for a file that exists or cannot be written,
  ///   `lossy` for what the file has no place for, `unsupported` for an extension that tells no format,
  ///   `checksumMismatch` for damaged sources, `cancelled`. Nothing is then written.
  @discardableResult
  public func save(
    to path: String, as format: CheckpointFormat? = nil, _ options: SavingOptions = SavingOptions(),
    progress: (@Sendable (_ done: Int, _ total: Int) -> Void)? = nil
  ) throws(CheckpointError) -> [String] {
    guard let format = format ?? CheckpointFormat(ofFileAt: path) else {
      throw CheckpointError(
        .unsupported, "the name tells no format",
        remedy: "name it .safetensors or .pt, or say which"
      ).framed(by: path)
    }
    let file = try CheckpointError.within(path) { () throws(CheckpointError) in
      try encoded(as: format, path, options)
    }
    let output = try StagedOutput(path: path, options.writing)
    try FreeSpace.require(file.plan.byteCount, in: output.scratchDirectory)
    try CopyEngine(options.budget, progress: progress).run(file.plan, into: output)
    try output.commit()
    return file.warnings
  }

  /// The plan of the file.
  private func encoded(
    as format: CheckpointFormat, _ path: String, _ options: SavingOptions
  ) throws(CheckpointError) -> EncodedFile {
    var saved = self
    saved.forgetUnusedStorages()
    var encoding = EncodingOptions(path: path)
    encoding.safetensors = SafetensorsOptions(
      layout: options.layout, includesSkeleton: options.includesSkeleton ?? !graph.isPlainStateDict,
      allowsLoss: options.allowsLoss, metadata: options.metadata)
    if options.metadata == nil { encoding.safetensors.metadata = try ownMetadata() }
    if format == .safetensors, let file = saved.container as? SafetensorsDescription {
      saved.container = file.origin
    }
    return try CheckpointFile.encode(saved, as: format, encoding)
  }

  /// The metadata that a safetensors file came with, but for what encoders write anew: the skeleton,
  /// and the names of tied tensors.
  private func ownMetadata() throws(CheckpointError) -> [(key: String, value: String)]? {
    guard let file = container as? SafetensorsDescription, file.hasMetadata, !file.hasSkeleton
    else { return nil }
    let tensors = try tensors()
    return file.metadata.filter { tensors[$0.value] == nil }
  }

  /// Leaves out storages that no tensor shows any more, so that no room is kept for them.
  private mutating func forgetUnusedStorages() {
    unusedRegions = []
    guard var archive else { return }
    var used: Set<ExactString> = []
    for id in graph.reachableTensors() {
      // The storages of tensors that no pickle describes get records of their own.
      if case .plain = graph[id].origin { continue }
      if let storage = graph[id].storage { used.insert(graph[storage].recordName) }
    }
    archive.records.removeAll { record in
      if case .storage(let name, _) = record { !used.contains(name) } else { false }
    }
    if var file = container as? SafetensorsDescription {
      file.origin = archive
      container = file
    } else {
      container = archive
    }
  }
}

extension CheckpointFormat {
  /// The format of a file by the extension of its name, or `nil`.
  init?(ofFileAt path: String) {
    switch FilePath(path).name.split(separator: ".").last {
    case "safetensors": self = .safetensors
    case "pt", "pth", "bin": self = .torch
    default: return nil
    }
  }
}

extension TensorGraph {
  /// Whether the object is a dict of tensors by name that no pickle describes and that share nothing: all
  /// of it has a place in a safetensors file.
  fileprivate var isPlainStateDict: Bool {
    guard case .dict = self[root], let entries = entries(of: root) else { return false }
    var storages: Set<StorageID> = []
    return entries.allSatisfy { entry in
      guard string(entry.key) != nil, case .tensor(let id) = self[entry.value],
        case .plain = self[id].origin, let storage = self[id].storage
      else { return false }
      return storages.insert(storage).inserted
    }
  }
}

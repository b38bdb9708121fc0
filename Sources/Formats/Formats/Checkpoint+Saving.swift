public import CkptBase
public import CkptContainer
public import CkptCopy
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors
public import CkptSkeleton
internal import CkptTorch

/// Options for saving a checkpoint.
public struct SavingOptions: Sendable {
  /// The naming of tensors in a safetensors file.
  public var layout = Layout.plain
  /// Whether a safetensors file gets a skeleton, which keeps everything that is not a tensor; `nil`
  /// to write one only if the checkpoint is more than a dict of named tensors.
  public var includesSkeleton: Bool?
  /// Whether contents that a safetensors file without a skeleton cannot hold are dropped with a
  /// warning; otherwise they are an error.
  public var allowsLoss = false
  /// The `__metadata__` of a safetensors file; `nil` for that of the checkpoint.
  public var metadata: [(key: String, value: String)]?
  /// Whether to replace an existing file, and whether to sync the output to the disk.
  public var writing = WritingOptions()
  /// The threads, memory and cancellation.
  public var budget = CopyBudget()

  /// Creates the default options.
  public init() {}
}

/// Saving checkpoints.
extension Checkpoint {
  /// Writes the checkpoint to a file, which appears under its name once it is complete.
  ///
  /// `torch.load` opens a `.pt` file. A safetensors file of only named tensors equals the file that
  /// `safetensors` itself writes. Elements are copied from file to file. So a checkpoint can be
  /// larger than memory, and the output can replace the input.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - format: the format; `nil` for the one of the extension: `safetensors`, or `pt`, `pth` and
  ///     `bin` for `torch.save`.
  ///   - options: the options for names, metadata and losses.
  ///   - progress: receives the bytes done and to do, on any thread but never twice at once.
  /// - Returns: warnings about losses.
  /// - Throws: ``CheckpointError``: `inputOutput` for a file that exists or cannot be written,
  ///   `lossy` for contents that the file cannot hold, `unsupported` for an unknown extension,
  ///   `checksumMismatch` for damaged sources, `cancelled`. Nothing is then written.
  @discardableResult
  public func save(
    to path: String, as format: CheckpointFormat? = nil, _ options: SavingOptions = SavingOptions(),
    progress: (@Sendable (_ done: Int, _ total: Int) -> Void)? = nil
  ) throws(CheckpointError) -> [String] {
    guard let format = format ?? CheckpointFormat(ofFileAt: path) else {
      throw CheckpointError(
        .unsupported, "the extension is unknown",
        remedy: "use .safetensors or .pt, or pass the format"
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

  /// Returns the plan of the file.
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

  /// Returns the metadata of the original safetensors file, without the parts that encoders write
  /// anew: the skeleton, and the names of tied tensors.
  private func ownMetadata() throws(CheckpointError) -> [(key: String, value: String)]? {
    guard let file = container as? SafetensorsDescription, file.hasMetadata, !file.hasSkeleton
    else { return nil }
    let tensors = try tensors()
    return file.metadata.filter { tensors[$0.value] == nil }
  }

  /// Removes storages that no tensor uses any more.
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
  /// Creates the format for the extension of a file name, or `nil`.
  init?(ofFileAt path: String) {
    switch FilePath(path).name.split(separator: ".").last {
    case "safetensors": self = .safetensors
    case "pt", "pth", "bin": self = .torch
    default: return nil
    }
  }
}

extension TensorGraph {
  /// Whether the object is a dict of named tensors, without a pickle and without sharing.
  ///
  /// A safetensors file holds all of it.
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

public import CkptBase
public import CkptContainer
public import CkptSafetensors
internal import CkptSkeleton
internal import CkptTorch

/// A kind of file that checkpoints are written to.
protocol WritableContainer: FileContainer {
  /// Plans the file for a checkpoint; no tensor's bytes are read.
  ///
  /// - Throws: ``CheckpointError`` for what has no place in the file.
  func encode(
    _ checkpoint: Checkpoint, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile
}

/// Choices of the caller about how a checkpoint is written.
public struct EncodingOptions: Sendable {
  /// The path of the file, which `torch.save` names the archive after; `nil` for a stream.
  public var path: String?
  /// The choices for a safetensors file.
  public var safetensors = SafetensorsEncoder.Options()
  /// Whether the metadata of a safetensors file without a skeleton goes along in a `.pt` file.
  public var keepsMetadata = true

  /// The defaults for a file at `path`.
  public init(path: String? = nil) { self.path = path }
}

extension CheckpointFile {
  /// Plans the file of a format for a checkpoint; no tensor's bytes are read.
  ///
  /// - Throws: ``CheckpointError`` for what has no place in the file, `unsupported` for a format that
  ///   is not written.
  public static func encode(
    _ checkpoint: Checkpoint, as format: CheckpointFormat, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile {
    for container in Containers.files where container.format == format {
      guard let container = container as? any WritableContainer else { continue }
      return try container.encode(checkpoint, options)
    }
    throw CheckpointError(.unsupported, "files of format \(format.rawValue) are not written")
  }
}

extension TorchArchiveContainer: WritableContainer {
  /// Plans the archive.
  func encode(
    _ checkpoint: Checkpoint, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile {
    try TorchEncoder.encode(
      checkpoint,
      options: .init(
        prefix: TorchEncoder.prefix(forFileAt: options.path),
        records: options.keepsMetadata ? MetadataRecord.records(for: checkpoint.container) : []))
  }
}

extension SafetensorsContainer: WritableContainer {
  /// Plans the file.
  func encode(
    _ checkpoint: Checkpoint, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile {
    try SafetensorsEncoder.encode(checkpoint, options: options.safetensors)
  }
}

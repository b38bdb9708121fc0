package import CkptBase
package import CkptContainer
package import CkptSafetensors
internal import CkptSkeleton
internal import CkptTorch

/// A kind of file that can be written.
protocol WritableContainer: FileContainer {
  /// Plans the file for a checkpoint without reading tensor bytes.
  ///
  /// - Throws: ``CheckpointError`` for contents that the file cannot hold.
  func encode(
    _ checkpoint: Checkpoint, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile
}

/// The caller's choices for writing a checkpoint.
package struct EncodingOptions: Sendable {
  /// The path of the file, from which `torch.save` names the archive; `nil` for a stream.
  package var path: String?
  /// The choices for a safetensors file.
  package var safetensors = SafetensorsOptions()
  /// Whether a `.pt` file keeps the metadata of a safetensors file without a skeleton.
  package var keepsMetadata = true

  /// Creates the default options for a file at `path`.
  package init(path: String? = nil) { self.path = path }
}

extension CheckpointFile {
  /// Plans the file of a format for a checkpoint without reading tensor bytes.
  ///
  /// - Throws: ``CheckpointError`` for contents that the file cannot hold; `unsupported` for a
  ///   format that cannot be written.
  package static func encode(
    _ checkpoint: Checkpoint, as format: CheckpointFormat, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile {
    for container in Containers.files where container.format == format {
      guard let container = container as? any WritableContainer else { continue }
      return try container.encode(checkpoint, options)
    }
    throw CheckpointError(.unsupported, "files of the format \(format.rawValue) cannot be written")
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

package import CkptBase
package import CkptContainer
package import CkptSafetensors
internal import CkptLegacy
internal import CkptSkeleton
internal import CkptTorch

/// A kind of file that can be written.
protocol WritableContainer: FileContainer {
  /// Whether this container is the one, among those of its format, for a checkpoint.
  func suits(_ checkpoint: Checkpoint, _ options: EncodingOptions) -> Bool

  /// Plans the file for a checkpoint without reading tensor bytes.
  ///
  /// - Throws: ``CheckpointError`` for contents that the file cannot hold.
  func encode(
    _ checkpoint: Checkpoint, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile
}

extension WritableContainer {
  /// Yes: most formats have one container.
  func suits(_ checkpoint: Checkpoint, _ options: EncodingOptions) -> Bool { true }
}

/// The caller's choices for writing a checkpoint.
package struct EncodingOptions: Sendable {
  /// The path of the file, from which `torch.save` names the archive; `nil` for a stream.
  package var path: String?
  /// The choices for a safetensors file.
  package var safetensors = SafetensorsOptions()
  /// The container of a `.pt` file; `nil` for the one that the checkpoint had before, or a ZIP
  /// archive.
  package var torchContainer: TorchContainer?
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
      guard let container = container as? any WritableContainer,
        container.suits(checkpoint, options)
      else { continue }
      return try container.encode(checkpoint, options)
    }
    throw CheckpointError(.unsupported, "files of the format \(format.rawValue) cannot be written")
  }
}

extension EncodingOptions {
  /// The container for a checkpoint.
  fileprivate func torchContainer(for checkpoint: Checkpoint) -> TorchContainer {
    torchContainer ?? (checkpoint.archive?.archiveFormat == .legacy ? .legacy : .zip)
  }
}

extension LegacyContainer: WritableContainer {
  /// Whether the file is to be a legacy one.
  func suits(_ checkpoint: Checkpoint, _ options: EncodingOptions) -> Bool {
    options.torchContainer(for: checkpoint) == .legacy
  }

  /// Plans the file.
  func encode(
    _ checkpoint: Checkpoint, _ options: EncodingOptions
  ) throws(CheckpointError) -> EncodedFile {
    var file = try LegacyEncoder.encode(checkpoint)
    let metadata = MetadataRecord.records(for: checkpoint.container)
    if options.keepsMetadata, !metadata.isEmpty {
      file.warnings.append("a legacy file has no place for the metadata; it is left out")
    }
    return file
  }
}

extension TorchArchiveContainer: WritableContainer {
  /// Whether the file is to be an archive.
  func suits(_ checkpoint: Checkpoint, _ options: EncodingOptions) -> Bool {
    options.torchContainer(for: checkpoint) == .zip
  }

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

internal import Bytes
internal import Formats
internal import Graph
internal import Plan
internal import Safetensors
internal import Torch

/// How a file is taken to the other format and back: what the two conversions are told.
struct Journey {
  /// The format between.
  let format: CheckpointFormat
  /// The layout of the safetensors file, the one between or the one that left.
  let layout: Layout
  private let path: String
  private let safetensors: SafetensorsEncoder.Options

  /// The journey of a checkpoint from the file at `path`; `layout` is for `.pt` files, `nil` for
  /// what suits the place.
  ///
  /// - Throws: `inputOutput` when the place cannot be told.
  init(of checkpoint: Checkpoint, at path: String, layout: Layout?) throws(FormatError) {
    self.path = path
    switch checkpoint.source.container {
    case .torch, .shards:
      format = .safetensors
      let directory = FilePath(path).directory
      self.layout = try OLMoDirectory.layout(layout, in: directory)
      safetensors = .init(layout: self.layout)
    case .safetensors(let file):
      format = .torch
      self.layout = Layout(rawValue: file.layout) ?? .plain
      safetensors = .init(
        layout: self.layout, includesSkeleton: file.hasSkeleton,
        tied: checkpoint.copies.isEmpty ? nil : .copy)
    }
  }

  /// The plan of the file in the other format.
  func there(_ checkpoint: Checkpoint) throws(FormatError) -> FilePlan {
    format == .torch ? try torch(checkpoint) : try safetensors(checkpoint)
  }

  /// The plan of the file that returns.
  func back(_ checkpoint: Checkpoint) throws(FormatError) -> FilePlan {
    format == .torch ? try safetensors(checkpoint) : try torch(checkpoint)
  }

  private func safetensors(_ checkpoint: Checkpoint) throws(FormatError) -> FilePlan {
    try SafetensorsEncoder.encode(checkpoint, options: safetensors).plan
  }

  private func torch(_ checkpoint: Checkpoint) throws(FormatError) -> FilePlan {
    try TorchEncoder.encode(
      checkpoint,
      options: .init(
        prefix: TorchEncoder.prefix(forFileAt: path),
        records: MetadataRecord.records(for: checkpoint.source))
    ).plan
  }
}

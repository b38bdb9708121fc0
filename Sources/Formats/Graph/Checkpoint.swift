/// What a reader makes of a file: its contents, what it was packed in, and what to tell the user.
public struct Checkpoint: Sendable {
  /// The contents.
  public var graph: TensorGraph
  /// The container the contents came in.
  public var source: SourceDescription
  /// Storages of the file that nothing in the graph refers to.
  public var unusedRegions: [FileRegion]
  /// Where else a file has elements of a tensor, packed like ``Tensor/packed`` and equal to them.
  public var copies: [TensorID: [FileRegion]]
  /// What the user should know although the file could be read.
  public var warnings: [String]

  package init(
    graph: TensorGraph, source: SourceDescription, unusedRegions: [FileRegion] = [],
    copies: [TensorID: [FileRegion]] = [:], warnings: [String]
  ) {
    self.graph = graph
    self.source = source
    self.unusedRegions = unusedRegions
    self.copies = copies
    self.warnings = warnings
  }
}

/// The file of a checkpoint as it was found, so that it can be described and written again.
public struct SourceDescription: Sendable {
  /// What kind of file it is, with the facts of that kind.
  public enum Container: Sendable {
    /// An archive of `torch.save` or `torch.jit.save`.
    case torch(TorchArchiveDescription)
    /// A safetensors file.
    case safetensors(SafetensorsDescription)
    /// Several files and the index that tells which tensor is in which.
    case shards(ShardsDescription)
  }

  /// What kind of file it is.
  public var container: Container
  /// The archive of `torch.save` that the contents are in, or were in before they came to be in a
  /// safetensors file with a skeleton.
  public var archive: TorchArchiveDescription? {
    switch container {
    case .torch(let archive): archive
    case .safetensors(let file): file.origin
    case .shards: nil
    }
  }

  /// The file's size in bytes; that of all files together for a checkpoint in several.
  public var byteCount: Int

  package init(container: Container, byteCount: Int) {
    self.container = container
    self.byteCount = byteCount
  }
}

extension SourceDescription {
  /// Of an object that was put together from others and is in no file: tensors in layout `plain`
  /// with nothing beside them.
  package static var assembled: SourceDescription {
    let description = SafetensorsDescription(
      layout: "plain", headerByteCount: 0, metadata: [], hasMetadata: false)
    return SourceDescription(container: .safetensors(description), byteCount: 0)
  }
}

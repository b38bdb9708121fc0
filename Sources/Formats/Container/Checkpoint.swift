public import CkptGraph
public import CkptPlan

/// A checkpoint as its reader found it: the contents, the container they came in, and warnings.
public struct Checkpoint: Sendable {
  /// The contents.
  public var graph: TensorGraph
  /// The container the contents came in; `nil` for what was put together in memory.
  public var container: (any ContainerDescription)?
  /// The size of the container's files in bytes; zero without a container.
  public var byteCount: Int
  /// Storages of the file that nothing in the graph refers to.
  public var unusedRegions: [FileRegion]
  /// Other places in which a file has elements of a tensor, packed like ``Tensor/packed`` and equal
  /// to them.
  public var copies: [TensorID: [FileRegion]]
  /// Warnings about a file that could be read all the same.
  public var warnings: [String]

  package init(
    graph: TensorGraph, container: (any ContainerDescription)?, byteCount: Int = 0,
    unusedRegions: [FileRegion] = [], copies: [TensorID: [FileRegion]] = [:],
    warnings: [String] = []
  ) {
    self.graph = graph
    self.container = container
    self.byteCount = byteCount
    self.unusedRegions = unusedRegions
    self.copies = copies
    self.warnings = warnings
  }
}

/// Choices of the caller about how a checkpoint is read.
public struct ReadingOptions: Sendable {
  /// Whether `None` is put where a pickle names something that exists to run code; otherwise the
  /// file is refused.
  public var dropsUnsafe: Bool
  /// Whether a safetensors file is taken as if it had no skeleton.
  public var ignoresSkeleton: Bool

  /// Makes options.
  public init(dropsUnsafe: Bool = false, ignoresSkeleton: Bool = false) {
    self.dropsUnsafe = dropsUnsafe
    self.ignoresSkeleton = ignoresSkeleton
  }
}

/// A checkpoint as its encoder plans the file for it.
public struct EncodedFile: Sendable {
  /// The bytes of the file.
  public var plan: FilePlan
  /// The number of tensors, counted once under each of their names.
  public var tensorCount: Int
  /// The number of them that share the bytes of another one.
  public var aliasCount: Int
  /// Warnings about what the file does not keep.
  public var warnings: [String]

  package init(plan: FilePlan, tensorCount: Int, aliasCount: Int, warnings: [String]) {
    self.plan = plan
    self.tensorCount = tensorCount
    self.aliasCount = aliasCount
    self.warnings = warnings
  }
}

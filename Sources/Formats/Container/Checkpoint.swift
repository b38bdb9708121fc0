package import CkptGraph
package import CkptPlan

/// A checkpoint: named tensors, and values beside them.
///
/// It is a value: to change a copy leaves the other as it is. Elements of tensors stay in the files that
/// they come from until they are read or saved.
public struct Checkpoint: Sendable {
  /// The contents.
  package var graph: TensorGraph
  /// The container of the contents; `nil` for a checkpoint that was made in memory.
  package var container: (any ContainerDescription)?
  /// The size of the container's files in bytes; zero without a container.
  public var byteCount: Int
  /// The storages of the file that nothing in the graph refers to.
  package var unusedRegions: [FileRegion]
  /// Other regions of the files that hold the same elements of a tensor, packed like
  /// ``Tensor/packed``.
  package var copies: [TensorID: [FileRegion]]
  /// Warnings about a file that could be read anyway.
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

/// The caller's choices for reading a checkpoint.
public struct ReadingOptions: Sendable {
  /// Whether to replace globals that can run code by `None`.
  ///
  /// Otherwise the file is refused.
  public var dropsUnsafe: Bool
  /// Whether to ignore the skeleton of a safetensors file.
  public var ignoresSkeleton: Bool

  /// Creates options.
  public init(dropsUnsafe: Bool = false, ignoresSkeleton: Bool = false) {
    self.dropsUnsafe = dropsUnsafe
    self.ignoresSkeleton = ignoresSkeleton
  }
}

/// A planned file for a checkpoint.
package struct EncodedFile: Sendable {
  /// The bytes of the file.
  package var plan: FilePlan
  /// The number of tensors; a tensor with several names counts once for each.
  package var tensorCount: Int
  /// The number of tensors that share the bytes of another one.
  package var aliasCount: Int
  /// Warnings about contents that the file does not keep.
  package var warnings: [String]

  package init(plan: FilePlan, tensorCount: Int, aliasCount: Int, warnings: [String]) {
    self.plan = plan
    self.tensorCount = tensorCount
    self.aliasCount = aliasCount
    self.warnings = warnings
  }
}

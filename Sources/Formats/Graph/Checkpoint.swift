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

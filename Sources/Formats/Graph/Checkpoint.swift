/// What a reader makes of a file: its contents, what it was packed in, and what to tell the user.
public struct Checkpoint: Sendable {
  /// The contents.
  public var graph: TensorGraph
  /// The container the contents came in.
  public var source: SourceDescription
  /// What the user should know although the file could be read.
  public var warnings: [String]

  package init(graph: TensorGraph, source: SourceDescription, warnings: [String]) {
    self.graph = graph
    self.source = source
    self.warnings = warnings
  }
}

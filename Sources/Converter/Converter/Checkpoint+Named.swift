internal import Formats
internal import Graph

extension Checkpoint {
  /// A state dict that was put together from others, and so is in no file.
  init(named graph: TensorGraph, warnings: [String] = []) {
    self.init(graph: graph, source: .assembled, warnings: warnings)
  }
}

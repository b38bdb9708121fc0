internal import Bytes
internal import Formats
internal import Graph

/// The type of a model's weights.
enum WeightType {
  /// The types that a configuration can name and transformers computes with.
  private static let known: Set<DType> = [.float64, .float32, .float16, .bfloat16]

  /// The type of all tensors of a model; the first one's where there are several, with a warning.
  ///
  /// - Throws: `unsupported` for types that are not floating-point numbers.
  static func only(of graph: TensorGraph, _ plan: inout FolderPlan) throws(FormatError) -> DType {
    var found: [DType] = []
    for id in graph.reachableTensors() where !found.contains(graph[id].dtype) {
      found.append(graph[id].dtype)
    }
    if let other = found.first(where: { !known.contains($0) }) {
      throw FormatError(.unsupported, "weights are floating-point numbers, these are \(other.name)")
    }
    if found.count > 1 {
      plan.warn(
        "weights are of several types: \(found.map(\.name).joined(separator: ", ")); "
          + "--dtype makes them one")
    }
    return found.first ?? .float32
  }
}

package import Graph

/// Two tensors that agree in everything but their bytes, and perhaps their element types, which have
/// yet to be compared.
package struct TensorPair: Sendable {
  /// The name of the tensor, or the first of its names.
  package var name: String
  /// The tensor of the first graph.
  package var first: TensorID
  /// The tensor of the second graph.
  package var second: TensorID
}

internal import Bytes
internal import Graph
internal import Pickle

extension Unpickler {
  /// Reads a pickle that is complete in itself, as OLMo's loader must find it: `pickle.loads` has
  /// nothing to give for a persistent id.
  ///
  /// - Throws: `malformed` for a persistent id, and what ``load(_:)`` throws.
  mutating func loadWhole(_ reader: inout ByteReader) throws(FormatError) -> NodeID {
    let firstNode = graph.nodeCount
    let root = try load(&reader)
    for index in firstNode..<graph.nodeCount {
      guard case .persistent = graph[NodeID(index: index)] else { continue }
      throw FormatError(.malformed, "the pickle refers to something outside of itself")
    }
    return root
  }
}

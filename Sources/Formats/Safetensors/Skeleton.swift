internal import Bytes
internal import Graph

/// What a skeleton says: the object as a pickle would have described it, and where its tensors are.
struct Skeleton {
  /// What a skeleton says of a tensor's data.
  struct TensorReference {
    /// The node that is the tensor, or its construction before it is recognised.
    var node: NodeID
    /// The name of the entry that has its elements; `nil` for a tensor without data.
    var name: String?
    /// Whether the node is a construction.
    var hasConstruction: Bool
  }

  /// The object; tensors are calls and storages persistent ids.
  var graph: TensorGraph
  /// The tensors, and storages that are in the object by themselves.
  var tensors: [TensorReference]
  /// How the tensors are named.
  var layout: Layout
  /// The archive that the object comes from.
  var source: TorchArchiveDescription?
  /// What the user should know.
  var warnings: [String]
}

import CkptBase
import CkptDistributed
import CkptGraph

/// The metadata of a checkpoint for a cluster, from names and shapes alone: OLMo 2 32B with the moments
/// of AdamW.
enum ClusterMetadata {
  private static let layerCount = 64
  private static let width = 5120

  /// The tensors of a layer: name and shape.
  private static let layer: [(name: String, shape: [Int])] = [
    ("attention.w_q.weight", [width, width]), ("attention.w_k.weight", [1024, width]),
    ("attention.w_v.weight", [1024, width]), ("attention.w_out.weight", [width, width]),
    ("attention.q_norm.weight", [width]), ("attention.k_norm.weight", [1024]),
    ("attention_norm.weight", [width]), ("feed_forward.w1.weight", [27_648, width]),
    ("feed_forward.w2.weight", [width, 27_648]), ("feed_forward.w3.weight", [27_648, width]),
    ("feed_forward_norm.weight", [width]),
  ]

  /// Returns the contents of `.metadata` for a number of ranks, and the number of chunks.
  static func make(rankCount: Int) throws -> (metadata: [UInt8], chunkCount: Int) {
    var parameters: [(name: String, shape: [Int])] = [
      ("embeddings.weight", [100_352, width]), ("lm_head.norm.weight", [width]),
      ("lm_head.w_out.weight", [100_352, width]),
    ]
    for number in 0..<layerCount {
      parameters += layer.map { ("blocks.\(number).\($0.name)", $0.shape) }
    }
    var graph = TensorGraph()
    var model: [(key: NodeID, value: NodeID)] = []
    var state: [(key: NodeID, value: NodeID)] = []
    for parameter in parameters {
      model.append(
        (
          try graph.addString(parameter.name),
          try graph.addPackedTensor(.float32, parameter.shape, key: "")
        ))
      var values: [(key: NodeID, value: NodeID)] = []
      for (name, shape) in [
        ("step", []), ("exp_avg", parameter.shape), ("exp_avg_sq", parameter.shape),
      ] {
        values.append(
          (try graph.addString(name), try graph.addPackedTensor(.float32, shape, key: "")))
      }
      state.append((try graph.addString(parameter.name), try graph.addDict(values)))
    }
    let optimizer = try graph.addDict([
      (graph.addString("state"), graph.addDict(state))
    ])
    graph.root = try graph.addDict([
      (graph.addString("model"), graph.addDict(model)), (graph.addString("optim"), optimizer),
    ])
    let encoder = try DistributedEncoder(graph, .current, .ranks(rankCount))
    return (encoder.metadata(), encoder.chunkCount)
  }
}

internal import Architectures
internal import Bytes
internal import Graph

/// The tensors of a Hugging Face model, checked against its configuration.
struct HuggingFaceTensors {
  /// The tensors that the model consists of.
  private(set) var tensors: NamedTensors

  /// Checks the tensors of `graph`, once those that say nothing are left out.
  ///
  /// - Throws: `conflict` where tensors and configuration disagree, `inputOutput` and
  ///   `checksumMismatch` when tensors that must be equal cannot be read.
  init(of graph: TensorGraph, _ map: TensorMap) throws(FormatError) {
    tensors = try Self.significant(in: graph, map)
    try Coverage(of: tensors.shapes(in: graph), by: map, on: .huggingFace).require()
    try requireOnes(of: graph, map)
  }

  private static let embedding = "model.embed_tokens.weight"
  private static let output = "lm_head.weight"

  /// The tensors of `graph` without what a file may have beside the model and that says nothing:
  /// buffers that every version computes anew, and the weights of an output that is tied to the
  /// embedding, if they are the embedding's.
  ///
  /// - Throws: `conflict` where a tied output is not the embedding, `unsupported` for an object that
  ///   is no state dict, `inputOutput` when tensors that must be equal cannot be read.
  static func significant(
    in graph: TensorGraph, _ map: TensorMap
  ) throws(FormatError) -> NamedTensors {
    var tensors = try NamedTensors(huggingFace: graph)
    tensors.remove(map.ignored)
    guard map.dimensions.isTied, let output = tensors[output], let embedding = tensors[embedding]
    else { return tensors }
    guard try SameValue(graph).holds(of: embedding, output) else {
      throw FormatError(
        .conflict,
        "'\(Self.output)' differs from '\(Self.embedding)', and the configuration says that they "
          + "are one (tie_word_embeddings)",
        hint: "set tie_word_embeddings to false if the model has both")
    }
    tensors.remove([Self.output])
    return tensors
  }

  /// Norms that have no weights in OLMo's model must be without effect here.
  private func requireOnes(of graph: TensorGraph, _ map: TensorMap) throws(FormatError) {
    let norms = map.correspondences.filter { $0.relation == .ones }
    let longest = norms.lazy.map { $0.olmo.shape[0] }.max() ?? 0
    var ones: [DType: ConstantTensor] = [:]
    for norm in norms {
      for part in norm.parts {
        guard let id = tensors[part.name] else { continue }
        let dtype = graph[id].dtype
        if ones[dtype] == nil { ones[dtype] = try ConstantTensor(ones: longest, dtype) }
        guard let known = ones[dtype] else { continue }
        let expected = known.region(count: graph[id].elementCount)
        guard try !SameValue(graph).holds(of: id, [expected]) else { continue }
        throw FormatError(
          .conflict,
          "'\(part.name)' is not all ones, and the norms of OLMo's configuration have no weights",
          hint: "a --config template with layer_norm_with_affine and "
            + "attention_layer_norm_with_affine true has a place for them")
      }
    }
  }
}

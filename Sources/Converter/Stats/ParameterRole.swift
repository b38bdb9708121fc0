internal import CkptBase
internal import CkptModels

/// The role of a tensor in a transformer, by its name.
public enum ParameterRole: String, Hashable, Sendable, CaseIterable {
  /// Turns tokens into vectors.
  case embedding
  /// Belongs to the attention of a block.
  case attention
  /// Belongs to the feed-forward network of a block.
  case mlp
  /// Gains of a norm.
  case norm
  /// Turns vectors into logits.
  case head
  /// Something else.
  case other

  /// The parts of names that tell a role; the first match counts, since attention and head have norms.
  private static let marks: [(mark: String, role: ParameterRole)] = [
    ("wte.", .embedding), ("embed_tokens", .embedding), ("norm", .norm), ("ln_", .norm),
    ("lm_head", .head), ("att", .attention), ("ff_", .mlp), ("mlp", .mlp), ("feed_forward", .mlp),
  ]

  /// OLMo calls the head like a matrix of its blocks, OLMo-core the embedding like those of positions.
  private static let names: [String: ParameterRole] = [
    "transformer.ff_out.weight": .head, "embeddings.weight": .embedding,
  ]

  /// The role of the tensor called `name` in a model that nothing is wrapped around.
  init(ofTensorNamed name: String) {
    self =
      Self.names[name] ?? Self.marks.first { name.contains($0.mark) }?.role ?? .other
  }
}

/// The place of a tensor in a model, by its name.
struct TensorPlace: Hashable {
  /// The name in a model that nothing is wrapped around and whose blocks are in no groups.
  let name: String
  /// The role of the tensor.
  let role: ParameterRole
  /// The number of the block that it is in.
  let block: Int?

  /// The place of a parameter of a model with blocks in groups of `groupSize`.
  init(_ parameter: ParameterName, groupSize: Int) {
    name = parameter.regrouped(from: groupSize, to: 1)
    role = ParameterRole(ofTensorNamed: name)
    block =
      name.split(separator: ".").lazy.compactMap { step in
        step.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(step) : nil
      }.first
  }
}

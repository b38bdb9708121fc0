internal import CkptBase

/// The name that keeps the bytes of tied tensors.
///
/// `save_pretrained` deletes the names that a model class lists as tied to its input embedding
/// (`_tied_weights_keys` in `transformers/modeling_utils.py`), and some versions load a model only if
/// the embedding has the bytes. Where no name is an embedding, the first in file order keeps them.
package enum TiedNames {
  /// The rank of a name among those of one tensor; the lowest keeps the bytes, the first of equals.
  static func rank(_ name: String) -> Int {
    let parts = name.parts(between: ".", atMost: Limits.pathLength)
    guard parts.last == "weight", let module = parts.dropLast().last else { return 2 }
    // Encoder and decoder have embeddings of their own that are tied to this one.
    if module == "shared" { return 0 }
    return inputEmbeddings.contains(String(module)) ? 1 : 2
  }

  /// Whether a name is that of a model's input embedding.
  package static func isInputEmbedding(_ name: String) -> Bool { rank(name) < 2 }

  /// The modules that `get_input_embeddings` of the classes in `transformers` returns.
  private static let inputEmbeddings: Set<String> = [
    "embed_in", "embed_tokens", "embedding", "embeddings", "tok_embeddings", "tokens_embed",
    "word_embedding", "word_embeddings", "wte",
  ]

  /// The aliases that the metadata of a file announces: keys that are no entries, with values that
  /// are (`save_model` in `safetensors/torch.py`).
  static func aliases(
    in metadata: [(key: String, value: String)], of entries: EntryTable
  ) -> [(name: String, entry: Int)] {
    metadata.compactMap { key, value in
      guard let entry = entries.index(of: value), entries.index(of: key) == nil else { return nil }
      return (key, entry)
    }
  }
}

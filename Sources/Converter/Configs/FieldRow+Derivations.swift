internal import Bytes
internal import YAML

// The formulas of the tables, in both directions.

extension FieldRow.Derivation {
  static let keyValueHeads = Self(
    formula: "n_kv_heads; without it 1 if multi_query_attention, else n_heads",
    inverse: "num_key_value_heads; null if it is num_attention_heads",
    toHuggingFace: { model, _ in .integer(model.keyValueHeadCount) },
    toOLMo: { (config, model) throws(FormatError) in
      let count = try config.integer("num_key_value_heads", missing: nil) ?? model.headCount
      model["n_kv_heads"] = count == model.headCount ? .null : .integer(count)
      model["multi_query_attention"] = .null
    })

  static let intermediateSize = Self(
    formula: "mlp_hidden_size / 2; without it d_model * mlp_ratio / 2",
    inverse: "intermediate_size * 2",
    toHuggingFace: { model, _ in .integer(model.feedForwardRowCount / 2) },
    toOLMo: { (config, model) throws(FormatError) in
      let size = try config.integer("intermediate_size", missing: 11008) ?? 0
      model["mlp_hidden_size"] = .integer(size * 2)
    })

  static func vocabulary(missing: Int) -> Self {
    Self(
      formula: "embedding_size; without it vocab_size",
      inverse:
        "vocab_size; OLMo's own is what the tokenizer has, of 100352 the first 100278 and of "
        + "50304 the first 50280",
      toHuggingFace: { model, _ in .integer(model.embeddingCount) },
      toOLMo: { (config, model) throws(FormatError) in
        let count = try config.integer("vocab_size", missing: missing) ?? 0
        model["embedding_size"] = .integer(count)
        model["vocab_size"] = .integer(unpadded[count] ?? count)
      })
  }

  /// The tokens of OLMo's tokenizers, by the rows of its official models' embeddings.
  private static let unpadded = [100_352: 100_278, 50_304: 50_280]

  static let headSize = Self(
    formula: "d_model / n_heads",
    inverse: "must be hidden_size / num_attention_heads",
    toHuggingFace: { model, _ in .integer(model.headSize) },
    toOLMo: { (config, _) throws(FormatError) in
      guard config.hasUniformHeads else {
        throw FormatError(
          .unsupported,
          "'head_dim' is \(config["head_dim"]?.scalar?.description ?? "no number"); "
            + "OLMo's heads are hidden_size / num_attention_heads wide")
      }
    })

  static let ropeTheta = Self(
    formula: "the same number",
    inverse: "rope_theta, or rope_parameters.rope_theta; must be whole",
    toHuggingFace: { model, _ in model["rope_theta"] },
    toOLMo: { (config, model) throws(FormatError) in
      let theta = try config.ropeTheta()
      guard let whole = Int(exactly: theta), whole <= OLMoField.largestInteger else {
        throw FormatError(.unsupported, "'rope_theta' is \(theta); OLMo's is an integer")
      }
      model["rope_theta"] = .integer(whole)
    })

  /// OLMo's first models were trained with 0 for the end of text, which their tokenizer uses for
  /// something else; its conversion script replaces it whenever it sees it.
  static func endOfText(missing: Int) -> Self {
    Self(
      formula: "the same, but \(realEndOfText) for 0 with OLMo's tokenizer of 50280 tokens",
      inverse: "the same; of several the first",
      toHuggingFace: { model, context in
        let isMistaken =
          model["eos_token_id"] == .integer(0) && model.vocabularySize > realEndOfText
          && context.tokenizer?.contains("gpt-neox-20b") != true && !context.keepsEndOfText
        return isMistaken ? .integer(realEndOfText) : model["eos_token_id"]
      },
      toOLMo: { (config, model) throws(FormatError) in
        model["eos_token_id"] = .integer(try config.endOfText(missing: missing))
      })
  }

  private static let realEndOfText = 50279

  static func padding(missing: YAMLScalar, missingEnd: Int) -> Self {
    Self(
      formula: "the same",
      inverse: "the same; without one eos_token_id",
      toHuggingFace: { model, _ in model["pad_token_id"] },
      toOLMo: { (config, model) throws(FormatError) in
        let fallback: Int? = if case .integer(let id) = missing { id } else { nil }
        let token = try config.integer("pad_token_id", missing: fallback) ?? -1
        model["pad_token_id"] =
          .integer(token >= 0 ? token : try config.endOfText(missing: missingEnd))
      })
  }
}

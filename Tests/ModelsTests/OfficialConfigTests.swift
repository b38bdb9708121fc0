import CkptBase
import CkptModels
import Testing
import CkptYAML

/// The shapes of the configurations under `configs` of the OLMo repository (59a53e3, 2025-09-04):
/// each file has one of these `model:` sections.
struct OfficialConfigTests {
  struct Official: Sendable, CustomTestStringConvertible {
    /// The files, in the words of the repository.
    let testDescription: String
    let architecture: Architecture
    /// Width, heads, layers.
    let sizes: (Int, Int, Int)
    /// The field that gives the width of the feed-forward layer.
    let feedForward: String
    let rest: String
    let tokenizer: String
    /// Intermediate size and end of text.
    let expected: (Int, Int)
  }

  private static let olmo2 = """
    weight_tying: false, alibi: false, rope: true, rope_theta: 500000, flash_attention: true, \
    attention_dropout: 0.0, include_bias: false, block_type: sequential, layer_norm_type: rms, \
    layer_norm_with_affine: true, layer_norm_eps: 1e-6, bias_for_layer_norm: false, \
    attention_layer_norm: true, attention_layer_norm_with_affine: true, norm_after: true, \
    activation_type: swiglu, residual_dropout: 0.0, embedding_dropout: 0.0, \
    max_sequence_length: 4096, vocab_size: 100278, embedding_size: 100352, eos_token_id: 100257, \
    pad_token_id: 100277, init_device: meta, init_fn: normal, init_std: 0.02, init_cutoff_factor: 3
    """
  private static let olmo = """
    alibi: false, rope: true, attention_dropout: 0.0, attention_layer_norm: false, \
    include_bias: false, block_type: sequential, layer_norm_type: default, \
    layer_norm_with_affine: false, bias_for_layer_norm: false, \
    attention_layer_norm_with_affine: false, activation_type: swiglu, residual_dropout: 0.0, \
    embedding_dropout: 0.0, vocab_size: 50280, embedding_size: 50304, eos_token_id: 50279, \
    pad_token_id: 1, init_device: meta, init_fn: mitchell
    """
  private static let tiny = """
    weight_tying: false, alibi: false, rope: true, flash_attention: true, attention_dropout: 0.0, \
    attention_layer_norm: false, clip_qkv: null, include_bias: false, block_type: sequential, \
    layer_norm_type: rms, layer_norm_with_affine: true, layer_norm_eps: 1e-6, \
    bias_for_layer_norm: false, attention_layer_norm_with_affine: false, activation_type: swiglu, \
    residual_dropout: 0.0, embedding_dropout: 0.0, max_sequence_length: 4096, vocab_size: 50280, \
    embedding_size: 50304, eos_token_id: 0, pad_token_id: 1, init_device: cuda, init_fn: normal, \
    init_std: 0.02, init_cutoff_factor: 3
    """
  private static let dolma2 = "tokenizers/allenai_dolma2.json"
  private static let dolma = "tokenizers/allenai_gpt-neox-olmo-dolma-v1_5.json"
  private static let neox = "tokenizers/allenai_eleuther-ai-gpt-neox-20b-pii-special.json"

  private static func tiny(_ name: String, _ sizes: (Int, Int, Int)) -> Official {
    Official(
      testDescription: "tiny/OLMo-\(name)", architecture: .llama, sizes: sizes,
      feedForward: "mlp_ratio: 8", rest: tiny, tokenizer: dolma,
      expected: (sizes.0 * 4, 50279))
  }

  static let official: [Official] = [
    Official(
      testDescription: "official-0425 OLMo2-1B, all stages", architecture: .olmo2,
      sizes: (2048, 16, 16), feedForward: "mlp_ratio: 8", rest: olmo2, tokenizer: dolma2,
      expected: (8192, 100257)),
    Official(
      testDescription: "official-1124 OLMo2-7B, all stages", architecture: .olmo2,
      sizes: (4096, 32, 32), feedForward: "mlp_hidden_size: 22016", rest: olmo2,
      tokenizer: dolma2, expected: (11008, 100257)),
    Official(
      testDescription: "official-1124 OLMo2-13B, all stages", architecture: .olmo2,
      sizes: (5120, 40, 40), feedForward: "mlp_hidden_size: 27648", rest: olmo2,
      tokenizer: dolma2, expected: (13824, 100257)),
    Official(
      testDescription: "official-0724 OLMo-1B", architecture: .olmo, sizes: (2048, 16, 16),
      feedForward: "mlp_ratio: 8",
      rest: olmo + ", weight_tying: true, multi_query_attention: false, max_sequence_length: 2048",
      tokenizer: neox, expected: (8192, 50279)),
    Official(
      testDescription: "official-0724 OLMo-7B", architecture: .olmo, sizes: (4096, 32, 32),
      feedForward: "mlp_hidden_size: 22016",
      rest: olmo + ", weight_tying: false, multi_query_attention: false, max_sequence_length: 2048",
      tokenizer: neox, expected: (11008, 50279)),
    Official(
      testDescription: "official-0724 OLMo-7B-0424 and OLMo-7B-0724", architecture: .olmo,
      sizes: (4096, 32, 32), feedForward: "mlp_hidden_size: 22016",
      rest: olmo + ", weight_tying: false, clip_qkv: 8.0, max_sequence_length: 4096",
      tokenizer: dolma, expected: (11008, 50279)),
    tiny("20M", (256, 8, 8)), tiny("60M", (512, 8, 8)), tiny("150M", (768, 12, 12)),
    tiny("300M", (1024, 16, 16)), tiny("700M", (1536, 16, 16)),
  ]

  @Test("Every official configuration is translated, and returns", arguments: official)
  func translates(_ official: Official) throws {
    let (width, heads, layers) = official.sizes
    let text = """
      model: {d_model: \(width), n_heads: \(heads), n_layers: \(layers), \(official.feedForward), \
      \(official.rest)}
      tokenizer: {identifier: \(official.tokenizer)}
      """
    let config = try OLMoConfig(reading: Array(text.utf8))
    let translation = try HuggingFaceTranslation(config)
    #expect(translation.architecture == official.architecture)
    #expect(translation.config["hidden_size"]?.scalar == .integer(width))
    #expect(translation.config["intermediate_size"]?.scalar == .integer(official.expected.0))
    #expect(translation.config["eos_token_id"]?.scalar == .integer(official.expected.1))
    #expect(try OLMoTranslation(translation.config).config.model == config.model)

    // Without the saved settings, only those are lost that do not change the model.
    var options = HuggingFaceTranslation.Options()
    options.carriesRest = false
    let bare = try HuggingFaceTranslation(config, options).config
    let back = try OLMoTranslation(bare).config
    #expect(try HuggingFaceTranslation(back, options).config == bare)
    #expect(back.model.vocabularySize == config.model.vocabularySize)
  }

  @Test(
    "The example of a custom dataset is refused: it has a layer norm with weights, and q/k norms")
  func customDatasetExample() throws {
    let config = try Samples.olmo(
      .olmo,
      changing: """
        activation_type: gelu
        attention_layer_norm: true
        layer_norm_with_affine: true
        bias_for_layer_norm: false
        """)
    let error = #expect(throws: CheckpointError.self) { try HuggingFaceTranslation(config) }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("'attention_layer_norm' true") == true)
  }
}

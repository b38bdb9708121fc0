import CkptBase
import CkptModels
import Testing
import CkptYAML

struct OLMoConfigTests {
  /// The dataclass of OLMo 0.6.0, written down once more from `olmo/config.py`.
  static let defaults: [(String, YAMLScalar)] = [
    ("d_model", .integer(768)), ("n_heads", .integer(12)), ("n_kv_heads", .null),
    ("clip_qkv", .null), ("n_layers", .integer(12)), ("mlp_ratio", .integer(4)),
    ("mlp_hidden_size", .null), ("activation_type", .string("swiglu")),
    ("block_type", .string("sequential")), ("block_group_size", .integer(1)),
    ("alibi", .bool(false)), ("alibi_bias_max", .number(8)), ("rope", .bool(false)),
    ("rope_full_precision", .bool(true)), ("rope_theta", .integer(10000)),
    ("flash_attention", .bool(false)), ("attention_dropout", .number(0.1)),
    ("multi_query_attention", .null), ("attention_layer_norm", .bool(false)),
    ("residual_dropout", .number(0.1)), ("embedding_dropout", .number(0.1)),
    ("embedding_layer_norm", .bool(false)), ("layer_norm_type", .string("default")),
    ("layer_norm_with_affine", .bool(true)), ("layer_norm_eps", .number(1e-5)),
    ("attention_layer_norm_with_affine", .bool(true)), ("max_sequence_length", .integer(1024)),
    ("include_bias", .bool(true)), ("bias_for_layer_norm", .null), ("scale_logits", .bool(false)),
    ("vocab_size", .integer(50257)), ("embedding_size", .integer(50304)),
    ("weight_tying", .bool(true)), ("eos_token_id", .integer(50256)),
    ("pad_token_id", .integer(50256)), ("init_device", .null), ("init_fn", .string("normal")),
    ("init_std", .number(0.02)), ("init_cutoff_factor", .null), ("precision", .null),
    ("scale_emb_init", .bool(false)), ("emb_init_std", .null), ("norm_after", .bool(false)),
  ]

  @Test("A model section without fields has OLMo's defaults, in OLMo's order")
  func missingFields() throws {
    let config = try OLMoConfig(reading: Array("model: {}".utf8))
    #expect(config.model.section.entries.map(\.key) == Self.defaults.map { .string($0.0) })
    for (name, value) in Self.defaults { #expect(config.model[name] == value, "\(name)") }
  }

  @Test("What is not the model's stays as it is, and the text says what was read")
  func restOfDocument() throws {
    let text = """
      run_name: x
      model:
        d_model: 64
      paths:
      - ${run_name}/1e-5
      - '1e-5'

      """
    let config = try OLMoConfig(reading: Array(text.utf8))
    #expect(config.model.hiddenSize == 64)
    #expect(try String(decoding: config.text(), as: UTF8.self) == text)
  }

  struct Fact: Sendable, CustomTestStringConvertible {
    let section: String
    let fact: @Sendable (OLMoModelConfig) -> Int
    let value: Int
    var testDescription: String { section }
    init(_ section: String, _ value: Int, _ fact: @escaping @Sendable (OLMoModelConfig) -> Int) {
      self.section = section
      self.value = value
      self.fact = fact
    }
  }

  static let facts: [Fact] = [
    Fact("{n_heads: 8}", 8, \.keyValueHeadCount),
    Fact("{n_heads: 8, n_kv_heads: 2}", 2, \.keyValueHeadCount),
    Fact("{n_heads: 8, multi_query_attention: true}", 1, \.keyValueHeadCount),
    Fact("{n_heads: 8, multi_query_attention: false}", 8, \.keyValueHeadCount),
    Fact("{d_model: 64, n_heads: 8}", 8, \.headSize),
    Fact("{d_model: 64, mlp_ratio: 8}", 512, \.feedForwardRowCount),
    Fact("{d_model: 64, mlp_hidden_size: 352, mlp_ratio: 8}", 352, \.feedForwardRowCount),
    Fact("{vocab_size: 100, embedding_size: null}", 100, \.embeddingCount),
    Fact("{vocab_size: 100, embedding_size: 128}", 128, \.embeddingCount),
    Fact("{block_group_size: 3}", 3, \.blockGroupSize),
  ]

  @Test("Sizes of tensors follow from the fields", arguments: facts)
  func sizes(_ test: Fact) throws {
    let config = try OLMoConfig(reading: Array("model: \(test.section)".utf8))
    #expect(test.fact(config.model) == test.value)
  }

  @Test("Norms inherit their biases from the linear layers unless they say otherwise")
  func normBiases() throws {
    for (section, expected) in [
      ("{}", true), ("{include_bias: false}", false), ("{bias_for_layer_norm: false}", false),
      ("{include_bias: false, bias_for_layer_norm: true}", true),
    ] {
      let config = try OLMoConfig(reading: Array("model: \(section)".utf8))
      #expect(config.model.normsHaveBiases == expected, "\(section)")
    }
  }

  @Test(
    "Values are converted where OmegaConf converts them",
    arguments: [
      ("d_model: '64'", "d_model", YAMLScalar.integer(64)), ("clip_qkv: 8", "clip_qkv", .number(8)),
      ("layer_norm_eps: '1e-6'", "layer_norm_eps", .number(1e-6)),
      ("rope: 'yes'", "rope", .bool(true)), ("rope: 'N'", "rope", .bool(false)),
      ("rope: 1", "rope", .bool(true)), ("precision: 16", "precision", .string("16")),
      ("max_sequence_length: 4_096", "max_sequence_length", .integer(4096)),
    ])
  func converts(line: String, name: String, value: YAMLScalar) throws {
    let config = try OLMoConfig(reading: Array("model:\n  \(line)".utf8))
    #expect(config.model[name] == value)
  }

  @Test(
    "Values that OLMo's loader refuses are refused with their place",
    arguments: [
      ("d_model: 64.0", CheckpointError.Code.malformed), ("d_model: x", .malformed),
      ("d_model: true", .malformed), ("d_model: null", .malformed), ("d_model: [1]", .malformed),
      ("rope: maybe", .malformed), ("rope: 1.5", .malformed), ("init_std: x", .malformed),
      ("layer_norm_type: batch", .malformed), ("activation_type: 3", .malformed),
      ("rope_theta: 5e5", .malformed), ("precision: {}", .malformed), ("d_modell: 3", .unsupported),
      ("d_model: ${width}", .unsupported), ("d_model: 4294967296", .limitExceeded),
    ])
  func refuses(line: String, code: CheckpointError.Code) {
    let error = #expect(throws: CheckpointError.self) {
      try OLMoConfig(reading: Array("seed: 1\nmodel:\n  \(line)".utf8))
    }
    #expect(error?.code == code)
    #expect(error?.path.first == "model")
    #expect(error?.path.last?.hasPrefix("line 3, column") == true)
  }

  @Test("A document without model section is refused", arguments: ["", "a: 1", "model: 3", "- 1"])
  func noModel(text: String) {
    let error = #expect(throws: CheckpointError.self) { try OLMoConfig(reading: Array(text.utf8)) }
    #expect(error?.code == .malformed)
  }

  @Test(
    "Models that cannot be are refused, naming the fields",
    arguments: [
      ("d_model: 0", "d_model"), ("n_heads: 0", "n_heads"), ("n_layers: -1", "n_layers"),
      ("n_kv_heads: 0", "n_kv_heads"), ("block_group_size: 0", "block_group_size"),
      ("n_heads: 7", "n_heads"), ("n_kv_heads: 3", "n_kv_heads"),
      ("n_kv_heads: 2\nmulti_query_attention: true", "multi_query_attention"),
      ("n_kv_heads: 2\nmulti_query_attention: false", "multi_query_attention"),
      ("n_kv_heads: 2\nblock_type: llama", "block_type"), ("block_group_size: 3", "n_layers"),
      ("vocab_size: 4097", "vocab_size"), ("mlp_hidden_size: 351", "mlp_hidden_size"),
      ("rope_theta: 0", "rope_theta"),
    ])
  func inconsistent(changes: String, name: String) throws {
    let config = try Samples.olmo(.olmo, changing: changes)
    let error = #expect(throws: CheckpointError.self) { try config.model.requireConsistent() }
    #expect(error?.code == .malformed)
    #expect(error?.message.contains("'\(name)'") == true)
  }
}

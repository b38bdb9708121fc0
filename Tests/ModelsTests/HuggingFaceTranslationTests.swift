import CkptBase
import CkptModels
import Testing
import CkptYAML

struct HuggingFaceTranslationTests {
  static let mapped: [Translated] = Samples.classes.flatMap(ofEveryClass) + ofSomeClasses

  private static func ofEveryClass(_ architecture: Architecture) -> [Translated] {
    [
      Translated(architecture, "d_model: 128", "hidden_size", .integer(128)),
      Translated(architecture, "n_layers: 3", "num_hidden_layers", .integer(3)),
      Translated(architecture, "n_heads: 8", "num_attention_heads", .integer(8)),
      Translated(architecture, "n_heads: 8", "num_key_value_heads", .integer(8)),
      Translated(architecture, "n_kv_heads: 2", "num_key_value_heads", .integer(2)),
      Translated(
        architecture, "multi_query_attention: true", "num_key_value_heads", .integer(1)),
      Translated(
        architecture, "mlp_hidden_size: 360", "intermediate_size", .integer(180)),
      Translated(
        architecture, "mlp_hidden_size: null\nmlp_ratio: 6", "intermediate_size", .integer(192)),
      Translated(architecture, "embedding_size: 5000", "vocab_size", .integer(5000)),
      Translated(architecture, "embedding_size: null", "vocab_size", .integer(4000)),
      Translated(
        architecture, "max_sequence_length: 99", "max_position_embeddings", .integer(99)),
      Translated(architecture, "weight_tying: true", "tie_word_embeddings", .bool(true)),
      Translated(architecture, "weight_tying: false", "tie_word_embeddings", .bool(false)),
      Translated(architecture, "rope_theta: 777", "rope_theta", .integer(777)),
      Translated(architecture, "attention_dropout: 0.2", "attention_dropout", .number(0.2)),
      Translated(architecture, "init_std: 0.3", "initializer_range", .number(0.3)),
      Translated(architecture, "eos_token_id: 5", "eos_token_id", .integer(5)),
      Translated(architecture, "eos_token_id: 0", "eos_token_id", .integer(0)),
      Translated(architecture, "pad_token_id: 6", "pad_token_id", .integer(6)),
      Translated(architecture, "", "bos_token_id", .null),
      Translated(architecture, "", "attention_bias", .bool(false)),
      Translated(architecture, "", "hidden_act", .string("silu")),
      Translated(architecture, "", "rope_scaling", .null),
      Translated(architecture, "", "use_cache", .bool(true)),
      Translated(architecture, "", "torch_dtype", .string("float32")),
      Translated(architecture, "", "model_type", .string(architecture.modelType)),
      Translated(architecture, "", "transformers_version", .string("4.48.3")),
    ]
  }

  private static let ofSomeClasses: [Translated] = [
    Translated(.olmo, "clip_qkv: 8", "clip_qkv", .number(8)),
    Translated(.olmo, "", "clip_qkv", .null),
    Translated(.olmo2, "layer_norm_eps: 1e-4", "rms_norm_eps", .number(1e-4)),
    Translated(.llama, "layer_norm_eps: 1e-4", "rms_norm_eps", .number(1e-4)),
    Translated(.llama, "", "mlp_bias", .bool(false)),
    Translated(.llama, "", "head_dim", .integer(16)),
    Translated(.llama, "block_type: llama", "num_key_value_heads", .integer(4)),
  ]

  @Test("Every member follows from its fields", arguments: mapped)
  func maps(_ test: Translated) throws {
    let config = try Samples.olmo(test.architecture, changing: test.change)
    let translation = try HuggingFaceTranslation(config)
    #expect(translation.architecture == test.architecture)
    #expect(translation.config[test.name]?.scalar == test.value)
  }

  static let representable: [(Architecture, String)] = [
    (.olmo, "layer_norm_type: low_precision"), (.olmo, "block_type: llama"),
    (.olmo, "bias_for_layer_norm: true"), (.olmo, "block_group_size: 2"),
    (.olmo2, "attention_layer_norm_with_affine: false"), (.olmo2, "layer_norm_with_affine: false"),
    (.olmo2, "block_group_size: 2"), (.olmo2, "rope_full_precision: false"),
    (.llama, "block_type: llama"), (.llama, "layer_norm_with_affine: false"),
    (.llama, "attention_layer_norm_with_affine: false"), (.llama, "flash_attention: true"),
    (.olmo, "residual_dropout: 0.3\nembedding_dropout: 0.4\ninit_fn: full_megatron"),
    (.olmo, "scale_emb_init: true\nemb_init_std: 0.5\ninit_cutoff_factor: 2.0\nprecision: fp32"),
    (.olmo2, "alibi_bias_max: 4.0\ninit_device: cuda\nmulti_query_attention: true"),
    (.llama, "mlp_hidden_size: 500\nmlp_ratio: 3\nvocab_size: 1\nembedding_size: null"),
  ]

  @Test("Fields without a counterpart are saved and restored", arguments: representable)
  func returns(architecture: Architecture, change: String) throws {
    let config = try Samples.olmo(
      architecture, changing: change, rest: "data:\n  paths: [a, '1']\nseed: 1.0\n")
    let text = try HuggingFaceTranslation(config).config.text()
    let back = try OLMoTranslation(HuggingFaceConfig(reading: text))
    #expect(back.architecture == architecture)
    #expect(back.config.model == config.model)
    #expect(back.config.document["data"] == config.document["data"])
    #expect(back.config.document.entries.map(\.key) == config.document.entries.map(\.key))
    #expect(back.report.warnings.isEmpty)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let architecture: Architecture
    let change: String
    let field: String
    init(_ architecture: Architecture, _ change: String, _ field: String) {
      self.architecture = architecture
      self.change = change
      self.field = field
    }
    var testDescription: String { "\(architecture.rawValue), \(change)" }
  }

  static let refusals: [Refusal] =
    Samples.classes.flatMap(refusalsOfEveryClass) + refusalsOfSomeClasses

  private static func refusalsOfEveryClass(_ architecture: Architecture) -> [Refusal] {
    [
      Refusal(architecture, "alibi: true", "alibi"),
      Refusal(architecture, "rope: false", "rope"),
      Refusal(architecture, "activation_type: gelu", "activation_type"),
      Refusal(architecture, "activation_type: relu", "activation_type"),
      Refusal(architecture, "include_bias: true", "include_bias"),
      Refusal(architecture, "embedding_layer_norm: true", "embedding_layer_norm"),
      Refusal(architecture, "scale_logits: true", "scale_logits"),
      Refusal(architecture, "norm_after: \(architecture != .olmo2)", "norm_after"),
      Refusal(
        architecture, "attention_layer_norm: \(architecture != .olmo2)", "attention_layer_norm"),
    ]
  }

  private static let refusalsOfSomeClasses: [Refusal] = [
    Refusal(.olmo, "layer_norm_with_affine: true", "layer_norm_with_affine"),
    Refusal(.olmo, "layer_norm_eps: 1e-6", "layer_norm_eps"),
    Refusal(.olmo2, "layer_norm_type: default", "layer_norm_type"),
    Refusal(.olmo2, "block_type: llama", "block_type"),
    Refusal(.olmo2, "clip_qkv: 8.0", "clip_qkv"),
    Refusal(.olmo2, "bias_for_layer_norm: true", "bias_for_layer_norm"),
    Refusal(.llama, "clip_qkv: 8.0", "clip_qkv"),
    Refusal(.llama, "bias_for_layer_norm: true", "bias_for_layer_norm"),
  ]

  @Test("What no class can represent is refused, with the field", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let config = try Samples.olmo(test.architecture, changing: test.change)
    let error = #expect(throws: CheckpointError.self) { try HuggingFaceTranslation(config) }
    #expect(error?.code == .unsupported)
    #expect(error?.path.first == "model")
    #expect(error?.message.contains("'\(test.field)'") == true)
  }

  @Test("A refusal says where the field stands, or that it is OLMo's default")
  func placeOfRefusal() throws {
    let stated = #expect(throws: CheckpointError.self) {
      try HuggingFaceTranslation(Samples.olmo(.olmo, changing: "alibi: true"))
    }
    #expect(stated?.path == ["model", "line 16, column 10"])
    let missing = #expect(throws: CheckpointError.self) {
      try HuggingFaceTranslation(OLMoConfig(reading: Array("model: {rope: true}".utf8)))
    }
    #expect(missing?.path == ["model"])
    #expect(missing?.remedy == "the field is missing; its default in OLMo is true")
  }

  static let endsOfText: [(String, Int, Bool, Int)] = [
    ("allenai_gpt-neox-olmo-dolma-v1_5.json", 50280, false, 50279),
    ("allenai_gpt-neox-olmo-dolma-v1_5.json", 50280, true, 0),
    ("allenai_gpt-neox-olmo-dolma-v1_5.json", 50279, false, 0),
    ("allenai_eleuther-ai-gpt-neox-20b-pii-special.json", 50280, false, 0),
  ]

  @Test(
    "An end-of-text token 0 is replaced where it is known to be a mistake", arguments: endsOfText)
  func endOfText(tokenizer: String, vocabulary: Int, keeps: Bool, expected: Int) throws {
    let config = try Samples.olmo(
      .olmo, changing: "vocab_size: \(vocabulary)\nembedding_size: 50304\neos_token_id: 0",
      rest: "tokenizer: {identifier: tokenizers/\(tokenizer)}\n")
    var options = HuggingFaceTranslation.Options()
    options.keepsEndOfText = keeps
    let translation = try HuggingFaceTranslation(config, options)
    #expect(translation.config["eos_token_id"]?.scalar == .integer(expected))
    #expect(translation.generation["eos_token_id"]?.scalar == .integer(expected))
    #expect(translation.report.warnings.isEmpty == (expected == 0))
    #expect(try OLMoTranslation(translation.config).config.model == config.model)
  }

  @Test("Nothing of OLMo's own goes along if that is not wanted")
  func withoutRest() throws {
    var options = HuggingFaceTranslation.Options()
    options.carriesRest = false
    options.dtype = "bfloat16"
    let translation = try HuggingFaceTranslation(Samples.olmo(.olmo2), options)
    #expect(translation.config["ckptconv"] == nil)
    #expect(translation.config["torch_dtype"]?.scalar == .string("bfloat16"))
    #expect(translation.report.entries.allSatisfy { !$0.isCarried })
  }

  @Test("The generation configuration has the tokens that generation needs")
  func generation() throws {
    let text = try HuggingFaceTranslation(Samples.olmo(.olmo2)).generation.text()
    #expect(
      String(decoding: text, as: UTF8.self) == """
        {
          "_from_model_config": true,
          "eos_token_id": 3998,
          "pad_token_id": 3999,
          "transformers_version": "4.48.3"
        }

        """)
  }

  @Test("Every field of OLMo's is reported once, and every member too", arguments: Samples.classes)
  func reportIsComplete(architecture: Architecture) throws {
    let translation = try HuggingFaceTranslation(
      Samples.olmo(architecture, rest: "seed: 1\ndata: {}\n"))
    let reported = translation.report.entries.compactMap(\.olmo)
    let expected = OLMoConfigTests.defaults.map { "model.\($0.0)" } + ["seed", "data"]
    #expect(reported.sorted() == expected.sorted())
    let members = Set(translation.report.entries.compactMap(\.huggingFace))
    let written = translation.config.members.entries.map(\.key.description)
    #expect(members == Set(written).subtracting(["ckptconv"]))
  }

  @Test("The report says how each field was translated")
  func reportStatus() throws {
    let report = try HuggingFaceTranslation(Samples.olmo(.olmo2, rest: "seed: 1\n")).report
    func entry(_ name: String) -> FieldReport.Entry? { report.entries.first { $0.olmo == name } }
    #expect(entry("model.d_model")?.status == .mapped)
    #expect(entry("model.init_std")?.status == .defaulted)
    #expect(entry("model.mlp_ratio")?.status == .derived)
    #expect(entry("model.mlp_ratio")?.isCarried == true)
    #expect(entry("model.init_fn")?.status == .notRepresentable)
    #expect(entry("seed")?.status == .notRepresentable)
    #expect(entry("seed")?.isCarried == true)
    #expect(report.entries.first { $0.huggingFace == "use_cache" }?.status == .defaulted)
  }

  @Test("What JSON cannot hold is refused by name")
  func notInJSON() throws {
    for rest in ["x: {1: a}\n", "x: .inf\n"] {
      let translation = try HuggingFaceTranslation(Samples.olmo(.olmo, rest: rest))
      let error = #expect(throws: CheckpointError.self) { try translation.config.text() }
      #expect(error?.code == .lossy)
    }
  }
}

import CkptBase
import CkptModels
import Testing
import CkptYAML

struct OLMoTranslationTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let type: String
    let members: String
    let field: String
    let value: YAMLScalar
    init(_ type: String, _ members: String, _ field: String, _ value: YAMLScalar) {
      self.type = type
      self.members = members
      self.field = field
      self.value = value
    }
    var testDescription: String { "\(type), \(members): \(field)" }
  }

  private static let types = ["olmo", "olmo2", "llama"]

  static let cases: [Case] = types.flatMap(ofEveryType) + ofSomeTypes

  private static func ofEveryType(_ type: String) -> [Case] {
    [
      Case(type, #""hidden_size": 512"#, "d_model", .integer(512)),
      Case(type, "", "d_model", .integer(4096)),
      Case(type, #""num_hidden_layers": 3"#, "n_layers", .integer(3)),
      Case(type, #""num_attention_heads": 8"#, "n_heads", .integer(8)),
      Case(type, #""num_attention_heads": 8"#, "n_kv_heads", .null),
      Case(type, #""num_key_value_heads": 32"#, "n_kv_heads", .null),
      Case(type, #""num_key_value_heads": 4"#, "n_kv_heads", .integer(4)),
      Case(type, #""num_key_value_heads": null"#, "n_kv_heads", .null),
      Case(type, #""intermediate_size": 100"#, "mlp_hidden_size", .integer(200)),
      Case(type, "", "mlp_hidden_size", .integer(22016)),
      Case(type, #""vocab_size": 777"#, "embedding_size", .integer(777)),
      Case(type, #""vocab_size": 777"#, "vocab_size", .integer(777)),
      Case(type, #""vocab_size": 100352"#, "vocab_size", .integer(100278)),
      Case(type, #""vocab_size": 50304"#, "vocab_size", .integer(50280)),
      Case(type, #""max_position_embeddings": 9"#, "max_sequence_length", .integer(9)),
      Case(type, "", "max_sequence_length", .integer(2048)),
      Case(type, #""tie_word_embeddings": true"#, "weight_tying", .bool(true)),
      Case(type, "", "weight_tying", .bool(false)),
      Case(type, #""rope_theta": 500000.0"#, "rope_theta", .integer(500_000)),
      Case(
        type, #""rope_parameters": {"rope_theta": 500000, "rope_type": "default"}"#,
        "rope_theta", .integer(500_000)),
      Case(type, "", "rope_theta", .integer(10000)),
      Case(type, #""attention_dropout": 0"#, "attention_dropout", .number(0)),
      Case(type, #""initializer_range": 0.5"#, "init_std", .number(0.5)),
      Case(type, #""eos_token_id": [7, 8]"#, "eos_token_id", .integer(7)),
      Case(type, #""eos_token_id": 7, "pad_token_id": null"#, "pad_token_id", .integer(7)),
      Case(type, #""pad_token_id": 3"#, "pad_token_id", .integer(3)),
      Case(type, #""eos_token_id": 7, "pad_token_id": -1"#, "pad_token_id", .integer(7)),
      Case(type, #""hidden_act": "silu""#, "activation_type", .string("swiglu")),
      Case(type, "", "block_type", .string("sequential")),
      Case(type, "", "rope", .bool(true)), Case(type, "", "include_bias", .bool(false)),
      Case(type, "", "bias_for_layer_norm", .bool(false)),
      Case(type, "", "residual_dropout", .number(0)),
      Case(type, "", "init_device", .string("meta")),
      Case(type, "", "flash_attention", .bool(true)),
      Case(type, "", "norm_after", .bool(type == "olmo2")),
      Case(type, "", "attention_layer_norm", .bool(type == "olmo2")),
      Case(type, "", "attention_layer_norm_with_affine", .bool(type == "olmo2")),
      Case(type, "", "layer_norm_type", .string(type == "olmo" ? "default" : "rms")),
      Case(type, "", "layer_norm_with_affine", .bool(type != "olmo")),
      Case(type, "", "init_fn", .string(type == "olmo" ? "mitchell" : "normal")),
    ]
  }

  private static let ofSomeTypes: [Case] = [
    Case("olmo", "", "eos_token_id", .integer(50279)),
    Case("olmo", "", "pad_token_id", .integer(1)),
    Case("olmo", "", "layer_norm_eps", .number(1e-5)),
    Case("olmo", #""clip_qkv": 8.0"#, "clip_qkv", .number(8)),
    Case("olmo2", #""rms_norm_eps": 1e-6"#, "layer_norm_eps", .number(1e-6)),
    Case("olmo2", "", "layer_norm_eps", .number(1e-5)),
    Case("llama", "", "layer_norm_eps", .number(1e-6)),
    Case("llama", "", "vocab_size", .integer(32000)),
    Case("llama", "", "eos_token_id", .integer(2)),
    Case("llama", "", "pad_token_id", .integer(2)),
    Case("llama", #""head_dim": 128"#, "d_model", .integer(4096)),
    Case("olmo2", #""rope_scaling": {"rope_type": "default"}"#, "rope", .bool(true)),
  ]

  @Test("Every field follows from its member, or has OLMo's official value", arguments: cases)
  func maps(_ test: Case) throws {
    let translation = try OLMoTranslation(Samples.huggingFace(test.type, test.members))
    #expect(translation.config.model[test.field] == test.value)
  }

  @Test(
    "What is written has all of OLMo's fields, and nothing but them", arguments: Samples.classes)
  func writesAllFields(architecture: Architecture) throws {
    let config = try OLMoTranslation(Samples.huggingFace(architecture.modelType)).config
    #expect(config.document.entries.map(\.key) == [.string("model")])
    let read = try OLMoConfig(reading: config.text())
    #expect(read.model == config.model)
    let names = read.document["model"]?.mapping?.entries.map(\.key)
    #expect(names == OLMoConfigTests.defaults.map { .string($0.0) })
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let type: String
    let members: String
    let name: String
    init(_ type: String, _ members: String, _ name: String) {
      self.type = type
      self.members = members
      self.name = name
    }
    var testDescription: String { "\(type), \(members)" }
  }

  static let refusals: [Refusal] = types.flatMap(refusalsOfEveryType) + refusalsOfLlama

  private static func refusalsOfEveryType(_ type: String) -> [Refusal] {
    [
      Refusal(type, #""attention_bias": true"#, "attention_bias"),
      Refusal(type, #""hidden_act": "gelu""#, "hidden_act"),
      Refusal(type, #""rope_scaling": {"rope_type": "linear", "factor": 2.0}"#, "rope_scaling"),
      Refusal(type, #""rope_scaling": {"type": "yarn", "factor": 2.0}"#, "rope_scaling"),
      Refusal(type, #""rope_scaling": {"factor": 2.0}"#, "rope_scaling"),
      Refusal(
        type, #""rope_parameters": {"rope_type": "llama3", "rope_theta": 1.0}"#, "rope_scaling"),
      Refusal(type, #""partial_rotary_factor": 0.5"#, "partial_rotary_factor"),
      Refusal(type, #""rope_theta": 10000.5"#, "rope_theta"),
      Refusal(type, #""head_dim": 64"#, "head_dim"),
      Refusal(type, #""head_dim": "x""#, "head_dim"),
      Refusal(type, #""quantization_config": {"bits": 4}"#, "quantization_config"),
    ]
  }

  private static let refusalsOfLlama: [Refusal] = [
    Refusal("llama", #""mlp_bias": true"#, "mlp_bias"),
    Refusal("llama", #""pretraining_tp": 2"#, "pretraining_tp"),
  ]

  @Test("What OLMo's trainer cannot do is refused, with the member", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let config = try Samples.huggingFace(test.type, test.members)
    let error = #expect(throws: CheckpointError.self) { try OLMoTranslation(config) }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains("'\(test.name)'") == true)
  }

  static let faults: [(String, CheckpointError.Code)] = [
    (#""hidden_size": "big""#, .malformed), (#""hidden_size": 1.5"#, .malformed),
    (#""hidden_size": 0"#, .malformed), (#""hidden_size": 99999999999"#, .limitExceeded),
    (#""intermediate_size": [1]"#, .malformed),
    (#""intermediate_size": 99999999999"#, .limitExceeded),
    (#""num_attention_heads": 7"#, .malformed), (#""num_key_value_heads": 5"#, .malformed),
    (#""eos_token_id": null"#, .malformed), (#""eos_token_id": []"#, .malformed),
    (#""rope_theta": "x""#, .malformed),
    (#""rope_theta": 1, "rope_parameters": {"rope_theta": 2}"#, .malformed),
    (#""tie_word_embeddings": 1.5"#, .malformed), (#""ckptconv": 1"#, .malformed),
    (#""ckptconv": {"version": 2, "olmo": {}}"#, .unsupported),
    (#""ckptconv": {"version": 1, "olmo": {"model": {"d_modell": 1}}}"#, .unsupported),
    (#""ckptconv": {"version": 1, "olmo": {"model": {"d_model": "x"}}}"#, .malformed),
  ]

  @Test("Members of the wrong kind are refused", arguments: faults)
  func faulty(members: String, code: CheckpointError.Code) throws {
    let config = try Samples.huggingFace("olmo2", members)
    let error = #expect(throws: CheckpointError.self) { try OLMoTranslation(config) }
    #expect(error?.code == code)
  }

  @Test(
    "Other architectures are refused by name",
    arguments: [
      #"{"model_type": "olmo3"}"#, #"{"model_type": "olmoe"}"#, "{}", #"{"model_type": 1}"#,
    ])
  func otherArchitectures(text: String) throws {
    let config = try HuggingFaceConfig(reading: Array(text.utf8))
    let error = #expect(throws: CheckpointError.self) { try OLMoTranslation(config) }
    #expect(error?.code == .unsupported)
  }

  @Test(
    "Configurations of other programs are told from those of transformers",
    arguments: [
      (#"{"model": {"d_model": 64}, "train_module": {}}"#, "OLMo-core"),
      (#"{"model_type": "olmo", "d_model": 64, "n_layers": 2}"#, "hf_olmo"),
      (#"{"model_type": "hf_olmo", "d_model": 64, "n_layers": 2}"#, "hf_olmo"),
    ])
  func otherPrograms(text: String, name: String) throws {
    let config = try HuggingFaceConfig(reading: Array(text.utf8))
    let error = #expect(throws: CheckpointError.self) { try OLMoTranslation(config) }
    #expect(error?.code == .unsupported)
    #expect(error?.message.contains(name) == true)
  }

  @Test("The class is found by its name where the type is missing")
  func typeMissing() throws {
    let text = #"{"architectures": ["Olmo2ForCausalLM"]}"#
    let config = try HuggingFaceConfig(reading: Array(text.utf8))
    #expect(try OLMoTranslation(config).architecture == .olmo2)
  }

  // MARK: Several sources

  @Test("A template gives what config.json does not know, and the sections beside the model")
  func template() throws {
    let template = try OLMoConfig(
      reading: Array(
        """
        seed: 5
        model: {vocab_size: 4000, embedding_size: 4096, init_fn: mitchell, mlp_ratio: 8,
          mlp_hidden_size: null, residual_dropout: 0.25}
        """.utf8))
    let config = try Samples.huggingFace(
      "olmo2", #""hidden_size": 64, "intermediate_size": 256, "vocab_size": 4096"#)
    let translation = try OLMoTranslation(config, template: template)
    let model = translation.config.model
    #expect(translation.report.warnings.isEmpty)
    #expect(model.vocabularySize == 4000)
    #expect(model["init_fn"] == .string("mitchell"))
    #expect(model["mlp_hidden_size"] == .null)
    #expect(model["mlp_ratio"] == .integer(8))
    #expect(model["residual_dropout"] == .number(0.25))
    #expect(translation.config.document["seed"]?.scalar == .integer(5))
  }

  @Test("A template that contradicts config.json gives way, with a warning")
  func contradictingTemplate() throws {
    let template = try OLMoConfig(
      reading: Array("model: {d_model: 32, norm_after: false, vocab_size: 5000}".utf8))
    let config = try Samples.huggingFace("olmo2", #""hidden_size": 64, "vocab_size": 4096"#)
    let translation = try OLMoTranslation(config, template: template)
    #expect(translation.config.model.hiddenSize == 64)
    #expect(translation.config.model.normalizesAfterward)
    #expect(translation.config.model.vocabularySize == 4096)
    #expect(translation.report.warnings.count == 3)
  }

  @Test("The tokenizer knows how many tokens there are, unless OLMo's own number came along")
  func tokenizer() throws {
    let config = try Samples.huggingFace("olmo2", #""vocab_size": 4096"#)
    let translation = try OLMoTranslation(config, vocabularySize: 4001)
    #expect(translation.config.model.vocabularySize == 4001)
    #expect(translation.config.model.embeddingCount == 4096)
    let entry = translation.report.entries.first { $0.olmo == "model.vocab_size" }
    #expect(entry?.note == "from tokenizer.json")

    let larger = try OLMoTranslation(config, vocabularySize: 5000)
    #expect(larger.config.model.vocabularySize == 4096)
    #expect(larger.report.warnings.count == 1)

    let carrying = try HuggingFaceTranslation(Samples.olmo(.olmo2)).config
    let back = try OLMoTranslation(carrying, vocabularySize: 4001)
    #expect(back.config.model.vocabularySize == 4000)
  }

  @Test("A change to config.json since wins over the saved settings")
  func changedSince() throws {
    var config = try HuggingFaceTranslation(Samples.olmo(.olmo2)).config
    config["intermediate_size"] = YAMLValue(.integer(300))
    config["max_position_embeddings"] = YAMLValue(.integer(128))
    let translation = try OLMoTranslation(config)
    #expect(translation.config.model["mlp_hidden_size"] == .integer(600))
    #expect(translation.config.model["max_sequence_length"] == .integer(128))
    #expect(translation.config.model.vocabularySize == 4000)
    #expect(translation.report.warnings.count == 1)
  }

  @Test("Every member and every field is reported", arguments: Samples.classes)
  func reportIsComplete(architecture: Architecture) throws {
    var config = try HuggingFaceTranslation(Samples.olmo(architecture, rest: "seed: 1\n")).config
    config["_name_or_path"] = YAMLValue(.string("x"))
    let report = try OLMoTranslation(config).report
    let fields = report.entries.compactMap(\.olmo)
    let expected = OLMoConfigTests.defaults.map { "model.\($0.0)" } + ["seed"]
    #expect(fields.sorted() == expected.sorted())
    let members = Set(report.entries.compactMap(\.huggingFace))
    let read = Set(config.members.entries.map(\.key.description)).subtracting(["ckptconv"])
    #expect(members == read)
    let unknown = report.entries.first { $0.huggingFace == "_name_or_path" }
    #expect(unknown?.status == .notRepresentable)
  }
}

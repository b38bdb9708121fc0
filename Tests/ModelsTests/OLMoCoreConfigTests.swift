import CkptBase
import CkptYAML
import Testing

@testable import CkptModels

/// Configurations of OLMo-core, read and written.
struct OLMoCoreConfigTests {
  /// A configuration as OLMo-core 3.0 saves it, without what its trainer alone uses.
  static func text(
    mixer: String = "sequence_mixer", more: String = "", block: String = "", top: String = "",
    name: String = "reordered_norm", tokens: Int = 500, eps: String = "1e-06"
  ) -> String {
    """
    {"model": {"d_model": 32, "vocab_size": 512, "n_layers": 4,
      "block": {
        "\(mixer)": {"name": "default", "n_heads": 4, "n_kv_heads": 2, "bias": false,
          "rope": {"name": "default", "theta": 500000, "full_precision": true},
          "qk_norm": {"name": "rms", "eps": \(eps), "bias": false}, "use_head_qk_norm": false\(more)},
        "layer_norm": {"name": "rms", "eps": 1e-06, "bias": false},
        "feed_forward": {"hidden_size": 96, "bias": false}, "name": "\(name)"\(block)},
      "lm_head": {"layer_norm": {"name": "rms", "eps": 1e-06, "bias": false}, "bias": false},
      "tie_word_embeddings": false\(top)},
     "dataset": {"tokenizer": {"vocab_size": \(tokens), "eos_token_id": 0, "pad_token_id": 499}},
     "train_module": {"max_sequence_length": 64}}
    """
  }

  static func read(_ text: String) throws -> OLMoCoreConfig {
    try OLMoCoreConfig(reading: Array(text.utf8))
  }

  static let window = #"""
    , "sliding_window": {"pattern": [16, 16, 16, -1],
      "force_full_attention_on_first_layer": false, "force_full_attention_on_last_layer": true}
    """#

  @Test("A model becomes OLMo's fields", arguments: ["sequence_mixer", "attention"])
  func readsModel(_ mixer: String) throws {
    let config = try Self.read(Self.text(mixer: mixer))
    let model = config.model
    #expect(model.hiddenSize == 32 && model.layerCount == 4 && model.keyValueHeadCount == 2)
    #expect(model.feedForwardRowCount == 192 && model.embeddingCount == 512)
    #expect(model.vocabularySize == 500 && model.normalizesAfterward)
    #expect(model["eos_token_id"] == .integer(0) && model["layer_norm_eps"] == .number(1e-6))
    #expect(try Architecture(of: model) == .olmo2)
  }

  @Test("OLMo 3 has the members of transformers 4.57 and of 5")
  func translatesOLMo3() throws {
    let config = try HuggingFaceTranslation(Self.read(Self.text(more: Self.window))).config
    #expect(config["model_type"]?.scalar == .string("olmo3"))
    #expect(config["vocab_size"]?.scalar == .integer(500))
    #expect(config["sliding_window"]?.scalar == .integer(16))
    let types = config["layer_types"]?.sequence?.map { $0.scalar?.description ?? "" }
    #expect(
      types == ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"])
    #expect(config["rope_theta"]?.scalar == .integer(500_000))
    let rope = config["rope_parameters"]?.mapping
    #expect(
      rope?["sliding_attention"]?.mapping?["rope_theta"]?.scalar == .integer(500_000))
    #expect(rope?["full_attention"]?.mapping?["rope_theta"]?.scalar == .integer(500_000))
    #expect(config["eos_token_id"]?.scalar == .integer(0))
  }

  @Test("The padding of the vocabulary is cut unless it is to be kept")
  func keepsVocabulary() throws {
    var options = HuggingFaceTranslation.Options()
    options.keepsVocabulary = true
    let config = try HuggingFaceTranslation(Self.read(Self.text()), options).config
    #expect(config["vocab_size"]?.scalar == .integer(512))
  }

  struct Window: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var pattern: [Int]
    var firstIsFull = false
    var lastIsFull = false
    var isSliding: [Bool]
    var written: [Int]
  }

  /// As `SlidingWindowAttentionConfig.should_use_swa` of OLMo-core 3.0.0 answers for five layers.
  static let windows = [
    Window(
      testDescription: "the pattern alone", pattern: [8, -1],
      isSliding: [true, false, true, false, true], written: [8, -1]),
    Window(
      testDescription: "a full first layer shifts the pattern", pattern: [8, 8, -1],
      firstIsFull: true, isSliding: [false, true, true, false, true],
      written: [-1, 8, 8]),
    Window(
      testDescription: "a full last layer", pattern: [8], lastIsFull: true,
      isSliding: [true, true, true, true, false], written: [8, 8, 8, 8, -1]),
  ]

  @Test("A pattern decides which layers have a window, and returns", arguments: windows)
  func repeatsPattern(_ test: Window) throws {
    let window = try #require(
      try SlidingWindow.core(
        pattern: test.pattern, layerCount: 5, firstIsFull: test.firstIsFull,
        lastIsFull: test.lastIsFull))
    #expect(window.isSliding == test.isSliding)
    #expect(window.corePattern == test.written)
    let again = try SlidingWindow.core(
      pattern: window.corePattern, layerCount: 5, firstIsFull: false, lastIsFull: false)
    #expect(again == window)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var words: String
  }

  static let refusals = [
    Refusal(
      testDescription: "norms before the layers, but for queries and keys",
      text: text(name: "default"), words: "no Hugging Face class"),
    Refusal(
      testDescription: "experts", text: text(block: #", "feed_forward_moe": {"num_experts": 8}"#),
      words: "mixtures of experts"),
    Refusal(
      testDescription: "another kind of block", text: text(name: "moe"), words: "reordered_norm"),
    Refusal(
      testDescription: "norms of single heads",
      text: text().replacing(#""use_head_qk_norm": false"#, with: #""use_head_qk_norm": true"#),
      words: "use_head_qk_norm"),
    Refusal(
      testDescription: "scaled rotary positions",
      text: text().replacing(
        #""theta": 500000"#, with: #""theta": 500000, "scaling": {"factor": 8.0}"#),
      words: "scaled rotary positions"),
    Refusal(
      testDescription: "single blocks that differ",
      text: text(top: #", "block_overrides": {"3": {"name": "default"}}"#), words: "alike"),
    Refusal(
      testDescription: "an unknown field", text: text(more: #", "novelty": 3"#), words: "novelty"),
    Refusal(
      testDescription: "two epsilons", text: text(eps: "1e-05"), words: "block.layer_norm.eps"),
    Refusal(
      testDescription: "more tokens than rows", text: text(tokens: 513), words: "vocab_size"),
    Refusal(
      testDescription: "windows of two sizes",
      text: text(more: #", "sliding_window": {"pattern": [8, 16]}"#), words: "one size"),
    Refusal(
      testDescription: "an empty pattern",
      text: text(more: #", "sliding_window": {"pattern": []}"#), words: "pattern"),
    Refusal(
      testDescription: "many layers",
      text: text().replacing(#""n_layers": 4"#, with: #""n_layers": 2147483648"#),
      words: "n_layers"),
    Refusal(
      testDescription: "no model", text: #"{"model_type": "olmo2"}"#, words: "no object 'model'"),
  ]

  @Test("A model that no class computes is refused with the field", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let error = try #require(throws: CheckpointError.self) {
      try HuggingFaceTranslation(Self.read(test.text))
    }
    #expect("\(error)".contains(test.words))
  }

  @Test("A configuration returns from Hugging Face", arguments: ["", window])
  func returnsFromHuggingFace(_ more: String) throws {
    var options = HuggingFaceTranslation.Options()
    options.keepsVocabulary = true
    let first = try Self.read(Self.text(more: more))
    let middle = try HuggingFaceTranslation(first, options).config
    let back = try OLMoCoreConfig(
      reading: OLMoCoreTranslation(middle, vocabularySize: 500).text)
    for field in OLMoField.all where !["init_fn", "flash_attention"].contains(field.name) {
      #expect(
        back.model[field.name] == first.model[field.name], "\(field.name) must return")
    }
    #expect(back.model.slidingWindow == first.model.slidingWindow)
  }

  @Test("OLMo's trainer has no sliding windows")
  func refusesWindowsForOLMo() throws {
    let config = try HuggingFaceTranslation(Self.read(Self.text(more: Self.window))).config
    let error = try #require(throws: CheckpointError.self) { try OLMoTranslation(config) }
    #expect(error.message.contains("sliding attention windows"))
  }

  @Test("The report names every field of the model once")
  func reportsFields() throws {
    let config = try Self.read(Self.text(more: Self.window))
    let report = try HuggingFaceTranslation(config).report
    let places = report.entries.compactMap(\.core).filter { $0.hasPrefix("model.") }
    #expect(Set(places).count == places.count)
    #expect(places.count == config.leaves.count)
    let back = try OLMoCoreTranslation(HuggingFaceTranslation(config).config).report
    let written = back.entries.compactMap(\.core)
    #expect(Set(written).count == written.count)
    #expect(written.contains("model.block.feed_forward.hidden_size"))
    #expect(written.contains("dataset.tokenizer.vocab_size"))
  }
}

import CkptBase
import CkptModels
import CkptTestSupport
import Testing
import CkptYAML

/// Configurations with faults are translated or refused; nothing traps.
struct TranslationSweepTests {
  @Test("A config.yaml with any byte changed is translated or refused", arguments: Samples.classes)
  func changedYAML(architecture: Architecture) throws {
    let bytes = try Samples.olmo(architecture, rest: "data: {a: [1, x]}\n").text()
    try sweep(bytes) { text throws(CheckpointError) in
      try HuggingFaceTranslation(OLMoConfig(reading: text)).config.text()
    }
  }

  @Test("A config.json with any byte changed is translated or refused", arguments: Samples.classes)
  func changedJSON(architecture: Architecture) throws {
    let bytes = try HuggingFaceTranslation(Samples.olmo(architecture)).config.text()
    try sweep(bytes) { text throws(CheckpointError) in
      try OLMoTranslation(HuggingFaceConfig(reading: text)).config.text()
    }
  }

  /// Changes each byte in a few ways, digits into other digits among them.
  private func sweep(
    _ bytes: [UInt8], _ translate: ([UInt8]) throws(CheckpointError) -> [UInt8]
  ) throws {
    var generator = SeededGenerator(seed: 7)
    #expect(try !translate(bytes).isEmpty)
    for index in bytes.indices {
      var changes = [UInt8.random(in: 0...255, using: &generator)]
      if (0x30...0x39).contains(bytes[index]) { changes += [0x30, 0x39, 0x2d, 0x2e] }
      for change in changes {
        var changed = bytes
        changed[index] = change
        do {
          _ = try translate(changed)
        } catch {
          #expect(!error.message.isEmpty)
        }
      }
    }
  }

  static let extremes = [
    -9_223_372_036_854_775_808, -2_147_483_648, -1, 0, 1, 3, 2_147_483_648,
    9_223_372_036_854_775_807,
  ]

  @Test("Sizes at the ends of their range are translated or refused", arguments: extremes)
  func extremeSizes(value: Int) throws {
    for (name, fallback) in OLMoConfigTests.defaults {
      guard case .integer = fallback else { continue }
      for architecture in Samples.classes {
        let config = try? Samples.olmo(architecture, changing: "\(name): \(value)")
        if let config { _ = try? HuggingFaceTranslation(config) }
      }
    }
    let members = [
      "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
      "intermediate_size", "vocab_size", "max_position_embeddings", "rope_theta", "eos_token_id",
      "pad_token_id",
    ]
    for name in members {
      for architecture in Samples.classes {
        let config = try Samples.huggingFace(architecture.modelType, "\"\(name)\": \(value)")
        if let translation = try? OLMoTranslation(config) {
          #expect(try !translation.config.text().isEmpty)
        }
      }
    }
  }
}

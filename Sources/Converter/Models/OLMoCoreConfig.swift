package import CkptBase
internal import CkptYAML

/// A `config.json` of OLMo-core's trainer: the model, the tokenizer, and all other settings.
package struct OLMoCoreConfig: Sendable {
  /// A field of the `model` section that is not an object.
  struct Leaf: Sendable {
    /// The path below `model` as it was read.
    var writtenPath: String
    /// The path in the spelling of OLMo-core 3.0.
    var path: String
    var value: YAMLValue
  }

  /// The model, in the fields of OLMo's trainer.
  ///
  /// `embedding_size` is the number of embedding rows, `vocab_size` that of the tokenizer's tokens.
  package private(set) var model = OLMoModelConfig()
  /// Whether the configuration has the number of the tokenizer's tokens.
  package private(set) var knowsTokenizer = false
  /// The begin-of-text token; `nil` for none.
  let beginningOfText: YAMLScalar?
  /// The whole document.
  let document: YAMLMapping
  /// The fields of the `model` section, in document order.
  let leaves: [Leaf]

  /// Parses the text of a `config.json`.
  ///
  /// - Throws: `malformed` for text that is not a configuration of OLMo-core, `unsupported` for a
  ///   model that no class of transformers computes.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    guard let document = try YAMLValue(readingJSON: bytes).mapping,
      let section = document["model"]?.mapping
    else {
      throw CheckpointError(
        .malformed, "this is not a configuration of OLMo-core: it has no object 'model'",
        remedy: "pass the directory of a step with its config.json")
    }
    self.document = document
    leaves = Self.leaves(of: section)
    let tokenizer = document["dataset"]?.mapping?["tokenizer"]?.mapping
    let beginning = tokenizer?["bos_token_id"]?.scalar
    beginningOfText = beginning == .null ? nil : beginning
    try CheckpointError.within("model") { () throws(CheckpointError) in try readModel() }
    try readTokenizer(tokenizer)
    try model.requireConsistent()
  }

  /// Reads the `config.json` at `path`.
  ///
  /// - Throws: the same errors, and `inputOutput` if the file cannot be read.
  package init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a configuration", atMost: YAMLLimits.documentBytes)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try OLMoCoreConfig(reading: bytes)
    }
  }

  // MARK: Model

  private static func leaves(of section: YAMLMapping) -> [Leaf] {
    var leaves: [Leaf] = []
    var work = [("", YAMLValue(.mapping(section)))]
    while let (path, value) = work.popLast() {
      guard let mapping = value.mapping else {
        let isOld = path.hasPrefix(OLMoCoreField.oldMixer)
        let rest = path.dropFirst(OLMoCoreField.oldMixer.count)
        leaves.append(
          Leaf(
            writtenPath: path, path: isOld ? OLMoCoreField.mixer + rest : path, value: value))
        continue
      }
      for entry in mapping.entries.reversed() {
        work.append((path.isEmpty ? entry.key.description : "\(path).\(entry.key)", entry.value))
      }
    }
    return leaves
  }

  /// The values of a model of OLMo-core that its configuration does not have, or leaves out.
  private static let defaults: [String: YAMLScalar] = [
    "n_kv_heads": .null, "rope": .bool(false), "rope_theta": .integer(500_000),
    "layer_norm_type": .string("rms"), "layer_norm_eps": .number(1e-5), "norm_after": .bool(false),
    "include_bias": .bool(false), "bias_for_layer_norm": .bool(false),
    "weight_tying": .bool(false), "attention_dropout": .number(0), "residual_dropout": .number(0),
    "embedding_dropout": .number(0), "init_fn": .string("normal"),
  ]

  private mutating func readModel() throws(CheckpointError) {
    for (name, value) in Self.defaults { model[name] = value }
    var byPath: [ExactString: Leaf] = [:]
    for leaf in leaves where leaf.value.scalar != .null {
      guard byPath.updateValue(leaf, forKey: ExactString(leaf.path)) == nil else {
        throw CheckpointError(.malformed, "'\(leaf.path)' is there under two names")
      }
      try requireKnown(leaf)
    }
    for field in OLMoCoreField.all {
      guard let leaf = byPath[field.path] else {
        guard !field.isRequired else {
          throw CheckpointError(.malformed, "'\(field.path)' is missing")
        }
        continue
      }
      try CheckpointError.within(leaf.writtenPath) { () throws(CheckpointError) in
        try field.read(leaf.value, &model)
      }
    }
    guard (1...OLMoField.largestLayerCount).contains(model.layerCount) else {
      throw CheckpointError(
        .limitExceeded,
        "'n_layers' is \(model.layerCount), expected 1 to \(OLMoField.largestLayerCount)")
    }
    model.slidingWindow = try Self.window(byPath, layerCount: model.layerCount)
  }

  /// Refuses a field that is not in the table, because it can change the model.
  private func requireKnown(_ leaf: Leaf) throws(CheckpointError) {
    guard OLMoCoreField.at(leaf.path) == nil, !leaf.path.hasSuffix("_CLASS_"),
      leaf.value.scalar != .bool(false)
    else { return }
    // An object in the place of a field: it has fields where none is allowed.
    let above = OLMoCoreField.all.first { leaf.path.hasPrefix($0.path + ".") }
    throw CheckpointError(
      .unsupported,
      "'\(leaf.writtenPath)' is \(FieldReport.summary(of: leaf.value)): "
        + (above?.note ?? "this field is unknown and can change what the model computes"))
  }

  private static func window(
    _ leaves: [ExactString: Leaf], layerCount: Int
  ) throws(CheckpointError) -> SlidingWindow? {
    let prefix = OLMoCoreField.mixer + "sliding_window."
    guard let pattern = leaves[prefix + "pattern"] else { return nil }
    var sizes: [Int] = []
    for size in pattern.value.sequence ?? [] {
      guard case .integer(let size) = size.scalar, size <= OLMoField.largestInteger else {
        throw CheckpointError(.malformed, "'pattern' must be a list of integers")
      }
      sizes.append(size)
    }
    let isFull = { (name: String) in leaves[prefix + name]?.value.scalar != .bool(false) }
    return try CheckpointError.within(pattern.writtenPath) { () throws(CheckpointError) in
      try SlidingWindow.core(
        pattern: sizes, layerCount: layerCount, firstIsFull: isFull(OLMoCoreField.firstIsFull),
        lastIsFull: isFull(OLMoCoreField.lastIsFull))
    }
  }

  // MARK: Tokenizer and length

  private mutating func readTokenizer(_ tokenizer: YAMLMapping?) throws(CheckpointError) {
    let rows = model.embeddingCount
    model["vocab_size"] = .integer(rows)
    if let count = tokenizer?["vocab_size"] {
      try read(count, "dataset.tokenizer.vocab_size", into: "vocab_size")
      knowsTokenizer = true
      guard (1...rows).contains(model.vocabularySize) else {
        throw CheckpointError(
          .malformed,
          "'dataset.tokenizer.vocab_size' is \(model.vocabularySize), but 'model.vocab_size' is "
            + "\(rows)")
      }
    }
    for name in ["eos_token_id", "pad_token_id"] {
      guard let token = tokenizer?[name], token.scalar != .null else { continue }
      try read(token, "dataset.tokenizer.\(name)", into: name)
    }
    let length =
      document["train_module"]?.mapping?["max_sequence_length"]
      ?? document["dataset"]?.mapping?["sequence_length"]
    if let length { try read(length, "max_sequence_length", into: "max_sequence_length") }
  }

  private mutating func read(
    _ value: YAMLValue, _ path: String, into name: String
  ) throws(CheckpointError) {
    guard let field = OLMoField.named(name) else { return }
    model[name] = try CheckpointError.within(path) { () throws(CheckpointError) in
      try field.value(of: value)
    }
  }
}

extension OLMoCoreConfig {
  /// Whether a `config.json` is one of OLMo-core: it has the sections that its trainer writes.
  package static func describes(_ config: HuggingFaceConfig) -> Bool {
    config["model"]?.mapping?["block"]?.mapping != nil
  }
}

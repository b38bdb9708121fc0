internal import CkptBase
internal import CkptYAML

/// The layers of a model whose attention sees only the last tokens.
///
/// OLMo-core and Hugging Face have such models; OLMo's trainer has none.
package struct SlidingWindow: Hashable, Sendable {
  /// The number of tokens that a layer sees, including the current one.
  package let size: Int
  /// Whether each layer has the window; the others see all tokens.
  package let isSliding: [Bool]

  /// Creates the window of a model.
  package init(size: Int, isSliding: [Bool]) {
    self.size = size
    self.isSliding = isSliding
  }
}

extension SlidingWindow {
  /// The names of the layers' kinds in `layer_types` (`Olmo3Config` of transformers).
  private static let sliding = "sliding_attention"
  private static let full = "full_attention"
  static let kinds = [full, sliding]

  /// The `layer_types` of a `config.json`.
  var layerTypes: [String] { isSliding.map { $0 ? Self.sliding : Self.full } }

  /// Reads the `sliding_window` and `layer_types` of a `config.json`.
  ///
  /// - Throws: `malformed` for other values, or another number of layers.
  init(of config: HuggingFaceConfig, layerCount: Int) throws(CheckpointError) {
    let size = try config.integer("sliding_window", missing: 4096) ?? 0
    guard size > 0 else {
      throw CheckpointError(.malformed, "'sliding_window' is \(size), not a positive number")
    }
    guard let types = config["layer_types"] else {
      // The default of `Olmo3Config`: every fourth layer sees all tokens.
      let count = min(max(layerCount, 0), OLMoField.largestLayerCount)
      self.init(size: size, isSliding: (0..<count).map { ($0 + 1) % 4 != 0 })
      return
    }
    let names = types.sequence?.map { $0.scalar?.description ?? "" } ?? []
    guard names.count == layerCount, names.allSatisfy(Self.kinds.contains)
    else {
      throw CheckpointError(
        .malformed,
        "'layer_types' must have \(Self.sliding) or \(Self.full) for each of \(layerCount) layers")
    }
    self.init(size: size, isSliding: names.map { $0 == Self.sliding })
  }
}

extension SlidingWindow {
  /// The windows of the first layers, which repeat, as in OLMo-core's configuration; -1 stands for
  /// all tokens.
  var corePattern: [Int] {
    let windows = isSliding.map { $0 ? size : -1 }
    let period = windows.indices.dropFirst().first { period in
      windows.indices.allSatisfy { windows[$0] == windows[$0 % period] }
    }
    return Array(windows.prefix(period ?? windows.count))
  }

  /// Creates the window of a model of OLMo-core (`SlidingWindowAttentionConfig` in
  /// `olmo_core/nn/attention/__init__.py`); `nil` if all layers see all tokens.
  ///
  /// - Throws: `malformed` for an empty or invalid pattern, `unsupported` for windows of several
  ///   sizes.
  static func core(
    pattern: [Int], layerCount: Int, firstIsFull: Bool, lastIsFull: Bool
  ) throws(CheckpointError) -> SlidingWindow? {
    guard !pattern.isEmpty, pattern.allSatisfy({ $0 > 0 || $0 == -1 }) else {
      throw CheckpointError(
        .malformed, "'pattern' must have positive window sizes, or -1 for all tokens")
    }
    let windows = (0..<layerCount).map { layer in
      if layer == 0, firstIsFull { return -1 }
      if layer == layerCount - 1, lastIsFull { return -1 }
      return pattern[(firstIsFull ? layer - 1 : layer) % pattern.count]
    }
    let sizes = Set(windows.filter { $0 > 0 })
    guard sizes.count <= 1 else {
      throw CheckpointError(
        .unsupported,
        "the windows have the sizes \(sizes.sorted()), but Olmo3ForCausalLM has one size")
    }
    return sizes.first.map { SlidingWindow(size: $0, isSliding: windows.map { $0 > 0 }) }
  }
}

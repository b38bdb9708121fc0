package import CkptBase

/// A ``NameTable`` for one model: every tensor of both sides with its name and shape.
package struct TensorMap: Sendable {
  /// The tensors of the OLMo model, in the order of its `state_dict()`.
  package private(set) var olmo: [ExpectedTensor] = []
  /// The tensors of the Hugging Face model, in the order of its `state_dict()`.
  package private(set) var huggingFace: [ExpectedTensor] = []
  /// The tensors of the OLMo-core model, in the order of ``huggingFace``.
  package private(set) var core: [ExpectedTensor] = []
  /// The tensors of the two sides that belong together, in OLMo's order.
  package private(set) var correspondences: [Correspondence] = []
  /// The names of redundant tensors that Hugging Face files can have.
  package private(set) var ignored: Set<ExactString> = []
  /// The dimensions of the model.
  package let dimensions: ModelDimensions
  private let table: NameTable
  private var placeOfOLMoName: [ExactString: Int] = [:]
  private var placeOfPartName: [ExactString: (correspondence: Int, part: Int)] = [:]
  private var coreNames: [ExactString: String] = [:]
  private var namesOfCore: [ExactString: String] = [:]

  /// Creates the map of a model.
  ///
  /// - Throws: `malformed` or `limitExceeded` for impossible dimensions.
  package init(_ table: NameTable, _ dimensions: ModelDimensions) throws(CheckpointError) {
    try dimensions.check()
    self.table = table
    self.dimensions = dimensions
    for row in table.beforeLayers { add(row, olmo: row.olmo, layer: nil) }
    for layer in 0..<dimensions.layers {
      for row in table.layer { add(row, olmo: olmoName(row.olmo, in: layer), layer: layer) }
      for name in table.ignoredBuffers { ignored.insert(Self.huggingFaceName(name, in: layer)) }
    }
    for row in table.afterLayers { add(row, olmo: row.olmo, layer: nil) }
    orderHuggingFace()
  }

  /// Returns the correspondence of an OLMo tensor, by its name as in ``ParameterName/clean``.
  package func correspondence(ofOLMo name: String) -> Correspondence? {
    placeOfOLMoName[name].map { correspondences[$0] }
  }

  /// Returns the correspondence of a Hugging Face tensor, and its part in it.
  package func correspondence(
    ofHuggingFace name: String
  ) -> (correspondence: Correspondence, part: Int)? {
    placeOfPartName[name].map { (correspondences[$0.correspondence], $0.part) }
  }

  /// Returns OLMo-core's name of a Hugging Face tensor.
  package func coreName(ofHuggingFace name: String) -> String? { coreNames[name] }

  /// Returns the Hugging Face name of a tensor of OLMo-core.
  ///
  /// With a tied output, OLMo-core stores the embedding under the name of the output too, so that
  /// name is known here and missing in ``core``. Before version 1.7 the last norm and the output
  /// were not below `lm_head` (OLMo-core's `CHANGELOG.md`).
  package func huggingFaceName(ofCore name: String) -> String? {
    namesOfCore[name] ?? namesOfCore["lm_head.\(name)"]
  }

  // MARK: Names

  private func olmoName(_ name: String, in layer: Int) -> String {
    let size = dimensions.blockGroupSize
    return size > 1
      ? "\(NameTable.olmoBlockGroups).\(layer / size).\(layer % size).\(name)"
      : "\(NameTable.olmoBlocks).\(layer).\(name)"
  }

  private static func huggingFaceName(_ name: String, in layer: Int) -> String {
    "\(NameTable.huggingFaceLayers).\(layer).\(name)"
  }

  private static func coreName(_ name: String, in layer: Int) -> String {
    "\(NameTable.coreBlocks).\(layer).\(name)"
  }

  // MARK: Writing out

  private mutating func add(_ row: NameTable.Row, olmo name: String, layer: Int?) {
    for part in row.parts {
      let name = layer.map { Self.huggingFaceName(part.name, in: $0) } ?? part.name
      let core = layer.map { Self.coreName(part.core, in: $0) } ?? part.core
      coreNames[name] = core
      namesOfCore[core] = name
    }
    let relation: Correspondence.Relation
    switch row.condition {
    case .always: relation = .rows
    case .untied where dimensions.isTied: return
    case .untied: relation = .rows
    case .normWeights: relation = dimensions.normsHaveWeights ? .rows : .ones
    case .queryKeyNormWeights: relation = dimensions.queryKeyNormsHaveWeights ? .rows : .ones
    }
    let columns = row.columns.map { [$0] } ?? []
    let parts = row.parts.map { part in
      tensor(
        layer.map { Self.huggingFaceName(part.name, in: $0) } ?? part.name,
        [part.rows] + columns)
    }
    let rows = parts.reduce(0) { $0 + $1.shape[0] }
    let whole = ExpectedTensor(
      name: name, shape: [rows] + columns.map { dimensions[$0] },
      extents: row.parts.map(\.rows) + columns)
    let place = correspondences.count
    for (index, part) in parts.enumerated() { placeOfPartName[part.name] = (place, index) }
    correspondences.append(Correspondence(olmo: whole, parts: parts, relation: relation))
    guard relation == .rows else { return }
    placeOfOLMoName[name] = place
    olmo.append(whole)
  }

  private func tensor(_ name: String, _ extents: [Extent]) -> ExpectedTensor {
    ExpectedTensor(name: name, shape: extents.map { dimensions[$0] }, extents: extents)
  }

  private mutating func orderHuggingFace() {
    let order = table.huggingFaceOrder
    var names = order.beforeLayers
    for layer in 0..<dimensions.layers {
      names += order.layer.map { Self.huggingFaceName($0, in: layer) }
    }
    names += order.afterLayers
    huggingFace = names.compactMap { name in
      placeOfPartName[name].map { correspondences[$0.correspondence].parts[$0.part] }
    }
    core = huggingFace.map { tensor in
      var tensor = tensor
      tensor.name = coreNames[tensor.name] ?? tensor.name
      return tensor
    }
  }
}

/// A tensor of the OLMo model and the Hugging Face tensors that make up its rows.
package struct Correspondence: Hashable, Sendable {
  /// A relation between the values of the two sides.
  package enum Relation: Hashable, Sendable {
    /// The joined Hugging Face tensors are OLMo's tensor.
    case rows
    /// OLMo's norm has no weights, and the Hugging Face tensor is all ones.
    case ones
  }

  /// OLMo's tensor; for a norm without weights, the tensor that the weights would be.
  package var olmo: ExpectedTensor
  /// The Hugging Face tensors, that of the first rows first.
  package var parts: [ExpectedTensor]
  /// The relation.
  package var relation: Relation

  /// The rows of OLMo's tensor for each part.
  package var rowRanges: [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for part in parts {
      ranges.append(start..<start + part.shape[0])
      start += part.shape[0]
    }
    return ranges
  }
}

/// A tensor that a configuration describes.
package struct ExpectedTensor: Hashable, Sendable {
  /// Its name.
  package var name: String
  /// The number of elements along each dimension.
  package var shape: [Int]
  /// The extents that decide its dimensions.
  package var extents: [Extent]
}

extension TensorMap {
  /// Creates the map of the model in a `config.yaml`.
  ///
  /// ``TensorMap/olmo`` has the tensors that OLMo's trainer saves, in its order.
  ///
  /// - Throws: `unsupported` for a model that Hugging Face has no class for, `malformed` or
  ///   `limitExceeded` for impossible sizes.
  package init(of model: OLMoModelConfig) throws(CheckpointError) {
    let table: NameTable =
      switch (try Architecture(of: model), model.block) {
      case (.olmo, .sequential): .olmo1
      case (.olmo, .llama): .olmo1LlamaBlocks
      case (.olmo2, _), (.olmo3, _): .olmo2
      case (.llama, .sequential): .llama
      case (.llama, .llama): .llamaBlocks
      }
    let (keys, overflow) = model.headSize.multipliedReportingOverflow(by: model.keyValueHeadCount)
    var dimensions = ModelDimensions(
      vocabulary: model.embeddingCount, hidden: model.hiddenSize, keys: overflow ? .max : keys,
      feedForward: model.feedForwardRowCount / 2, layers: model.layerCount)
    dimensions.isTied = model.isTied
    dimensions.normsHaveWeights = model.normsHaveWeights
    dimensions.queryKeyNormsHaveWeights = model.queryKeyNormsHaveWeights
    dimensions.blockGroupSize = model.blockGroupSize
    try self.init(table, dimensions)
  }
}

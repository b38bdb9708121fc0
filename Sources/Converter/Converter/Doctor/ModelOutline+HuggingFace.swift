internal import Architectures

extension ModelOutline {
  /// What a model of `transformers` consists of, by the table that conversions go by.
  init(huggingFace map: TensorMap) {
    configuration = HuggingFaceFolder.configuration
    blockPrefix = "model.layers."
    blockCount = map.dimensions.layers
    blockCountField = "num_hidden_layers: \(blockCount)"
    outside = []
    inBlock = []
    for expected in map.huggingFace {
      var fields: [String] = []
      for field in expected.extents.map(\.huggingFaceFields) where !fields.contains(field) {
        fields.append(field)
      }
      var tensor = Tensor(
        name: expected.name, shape: expected.shape, isCalledFor: true, conditions: [],
        sizes: fields)
      guard let (block, rest) = split(expected.name) else {
        outside.append(tensor)
        continue
      }
      guard block == 0 else { continue }
      tensor.name = rest
      inBlock.append(tensor)
    }
  }
}

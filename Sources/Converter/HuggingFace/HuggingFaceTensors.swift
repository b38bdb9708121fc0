package import CkptBase
package import CkptCheckpoints
package import CkptCopy
package import CkptGraph
package import CkptModels
internal import CkptPlan

/// The tensors of a Hugging Face model, checked against its configuration.
package struct HuggingFaceTensors {
  /// The tensors of the model.
  private(set) var tensors: NamedTensors

  /// Checks the tensors of `graph` without the redundant ones.
  ///
  /// - Throws: `conflict` if tensors and configuration disagree; `inputOutput` or
  ///   `checksumMismatch` if tensors that must be equal cannot be read.
  init(
    of graph: TensorGraph, _ map: TensorMap, budget: CopyBudget
  ) throws(CheckpointError) {
    tensors = try Self.significant(in: graph, map, budget: budget)
    try Coverage(of: tensors.shapes(in: graph), by: map, on: .huggingFace).require()
    try requireOnes(of: graph, map, budget)
  }

  private static let embedding = "model.embed_tokens.weight"
  private static let output = "lm_head.weight"

  /// Returns the tensors of `graph` without redundant ones.
  ///
  /// These are buffers that every version computes anew, and output weights that are tied to the
  /// embedding and equal to it.
  ///
  /// - Throws: `conflict` if a tied output differs from the embedding, `unsupported` for an object
  ///   that is not a state dict, `inputOutput` if tensors that must be equal cannot be read.
  package static func significant(
    in graph: TensorGraph, _ map: TensorMap, budget: CopyBudget
  ) throws(CheckpointError) -> NamedTensors {
    var tensors = try NamedTensors(huggingFace: graph)
    // `base_model_prefix` of the classes in transformers.
    tensors.addPrefix("model.", for: Set(map.huggingFace.map { ExactString($0.name) }))
    tensors.remove(map.ignored)
    guard map.dimensions.isTied, let output = tensors[output], let embedding = tensors[embedding]
    else { return tensors }
    guard try ValueEquality(graph, budget).holds(of: embedding, output) else {
      throw CheckpointError(
        .conflict,
        "'\(Self.output)' differs from '\(Self.embedding)', but the configuration says that they "
          + "are tied (tie_word_embeddings)",
        remedy: "set tie_word_embeddings to false if the model has both")
    }
    tensors.remove([ExactString(Self.output)])
    return tensors
  }

  /// Checks that norms without weights in OLMo's model have no effect here.
  private func requireOnes(
    of graph: TensorGraph, _ map: TensorMap, _ budget: CopyBudget
  ) throws(CheckpointError) {
    let norms = map.correspondences.filter { $0.relation == .ones }
    let longest = norms.lazy.map { $0.olmo.shape[0] }.max() ?? 0
    var ones: [DType: ConstantTensor] = [:]
    for norm in norms {
      for part in norm.parts {
        guard let id = tensors[part.name] else { continue }
        let dtype = graph[id].dtype
        if ones[dtype] == nil { ones[dtype] = try ConstantTensor(ones: longest, dtype) }
        guard let known = ones[dtype] else { continue }
        let expected = known.region(count: graph[id].elementCount)
        guard try !ValueEquality(graph, budget).holds(of: id, [expected]) else { continue }
        throw CheckpointError(
          .conflict,
          "'\(part.name)' is not all ones, but the norms of OLMo's configuration have no weights",
          remedy: .action(.useTemplateWithNorms))
      }
    }
  }
}

/// Compares values of one graph that must be equal.
struct ValueEquality {
  private let graph: TensorGraph
  private let budget: CopyBudget

  init(_ graph: TensorGraph, _ budget: CopyBudget) {
    self.graph = graph
    self.budget = budget
  }

  /// Whether two nodes are the same number, text or constant, or tensors with equal elements.
  ///
  /// Tensors are read, unless they share their bytes.
  /// - Throws: `inputOutput` or `checksumMismatch` if that fails.
  func holds(of left: NodeID, _ right: NodeID) throws(CheckpointError) -> Bool {
    if left == right { return true }
    switch (graph[left], graph[right]) {
    case (.tensor(let left), .tensor(let right)): return try holds(of: left, right)
    case (.int(let left), .int(let right)): return left == right
    case (.float(let left), .float(let right)): return left.bitPattern == right.bitPattern
    case (.string(let left), .string(let right)): return graph[left] == graph[right]
    default: return false
    }
  }

  /// Whether two tensors have the same type, shape and elements.
  ///
  /// - Throws: `inputOutput` or `checksumMismatch` if they cannot be read.
  func holds(of left: TensorID, _ right: TensorID) throws(CheckpointError) -> Bool {
    let (first, second) = (graph[left], graph[right])
    guard first.dtype == second.dtype, first.shape == second.shape else { return false }
    if let view = TensorView(first), view == TensorView(second) { return true }
    guard first.elementCount > 0 else { return true }
    let region = FileRegion(
      source: try TemporaryOutput.holding(plan(of: first), budget: budget),
      range: 0..<first.byteCount,
      name: "a copy of the elements")
    return try holds(of: right, [region])
  }

  /// Whether the packed elements of a tensor equal `regions` in sequence.
  ///
  /// - Throws: `inputOutput` or `checksumMismatch` if they cannot be read.
  func holds(of id: TensorID, _ regions: [FileRegion]) throws(CheckpointError) -> Bool {
    let comparison = try ComparingOutput(expecting: regions)
    try CopyEngine(budget).run(plan(of: graph[id]), into: comparison)
    return comparison.byteCount == comparison.expectedByteCount && comparison.differences.isEmpty
  }

  private func plan(of tensor: Tensor) -> FilePlan {
    var plan = FilePlan()
    for segment in tensor.segments(from: graph) { plan.append(segment) }
    return plan
  }
}

/// A tensor of ones, the factor of a norm without weights.
///
/// The ones lie in an unnamed temporary file, so they are copied like all other tensors.
struct ConstantTensor {
  private let dtype: DType
  private let file: any ByteSource

  /// Creates `count` ones of type `dtype`.
  ///
  /// - Throws: `unsupported` for a dtype that is not for weights, `inputOutput` if there is no
  ///   space.
  init(ones count: Int, _ dtype: DType) throws(CheckpointError) {
    self.dtype = dtype
    let one = try Self.one(dtype)
    var plan = FilePlan()
    plan.append(.literal([UInt8](repeatElement(one, count: count).joined())))
    file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
  }

  /// Returns the region of the first `count` ones.
  func region(count: Int) -> FileRegion {
    FileRegion(source: file, range: 0..<count * dtype.byteCount, name: "ones")
  }

  /// Adds a vector of ones to a graph.
  ///
  /// - Throws: `limitExceeded` if the graph is full.
  func add(shape: [Int], to graph: inout TensorGraph) throws(CheckpointError) -> NodeID {
    try graph.addPackedTensor(
      dtype, shape, key: "ones", region: region(count: shape.reduce(1, *)))
  }

  /// Returns the bytes of one, little-endian.
  private static func one(_ dtype: DType) throws(CheckpointError) -> [UInt8] {
    switch dtype {
    case .float64: [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
    case .float32: [0, 0, 0x80, 0x3f]
    case .bfloat16: [0x80, 0x3f]
    case .float16: [0, 0x3c]
    default:
      throw CheckpointError(
        .unsupported, "weights must be floating-point numbers, found \(dtype.name)")
    }
  }
}

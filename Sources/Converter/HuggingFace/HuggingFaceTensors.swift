package import CkptBase
package import CkptCheckpoints
package import CkptCopy
package import CkptGraph
package import CkptModels
internal import CkptPlan

/// The tensors of a Hugging Face model, checked against its configuration.
package struct HuggingFaceTensors {
  /// The tensors that the model consists of.
  private(set) var tensors: NamedTensors

  /// Checks the tensors of `graph`, once those that say nothing are left out.
  ///
  /// - Throws: `conflict` where tensors and configuration disagree, `inputOutput` and
  ///   `checksumMismatch` when tensors that must be equal cannot be read.
  init(
    of graph: TensorGraph, _ map: TensorMap, budget: CopyBudget
  ) throws(CheckpointError) {
    tensors = try Self.significant(in: graph, map, budget: budget)
    try Coverage(of: tensors.shapes(in: graph), by: map, on: .huggingFace).require()
    try requireOnes(of: graph, map, budget)
  }

  private static let embedding = "model.embed_tokens.weight"
  private static let output = "lm_head.weight"

  /// The tensors of `graph` without what a file may have beside the model and that says nothing:
  /// buffers that every version computes anew, and the weights of an output that is tied to the
  /// embedding, if they are the embedding's.
  ///
  /// - Throws: `conflict` where a tied output is not the embedding, `unsupported` for an object that
  ///   is no state dict, `inputOutput` when tensors that must be equal cannot be read.
  package static func significant(
    in graph: TensorGraph, _ map: TensorMap, budget: CopyBudget
  ) throws(CheckpointError) -> NamedTensors {
    var tensors = try NamedTensors(huggingFace: graph)
    tensors.remove(map.ignored)
    guard map.dimensions.isTied, let output = tensors[output], let embedding = tensors[embedding]
    else { return tensors }
    guard try ValueEquality(graph, budget).holds(of: embedding, output) else {
      throw CheckpointError(
        .conflict,
        "'\(Self.output)' differs from '\(Self.embedding)', and the configuration says that they "
          + "are one (tie_word_embeddings)",
        remedy: "set tie_word_embeddings to false if the model has both")
    }
    tensors.remove([ExactString(Self.output)])
    return tensors
  }

  /// Norms that have no weights in OLMo's model must be without effect here.
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
          "'\(part.name)' is not all ones, and the norms of OLMo's configuration have no weights",
          remedy: .action(.useTemplateWithNorms))
      }
    }
  }
}

/// Whether values of one graph that must be equal are.
struct ValueEquality {
  private let graph: TensorGraph
  private let budget: CopyBudget

  init(_ graph: TensorGraph, _ budget: CopyBudget) {
    self.graph = graph
    self.budget = budget
  }

  /// Whether two nodes are the same number, text or constant, or tensors with the same elements.
  ///
  /// Tensors are read unless they show the same bytes.
  /// - Throws: `inputOutput` and `checksumMismatch` when that fails.
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
  /// - Throws: `inputOutput` and `checksumMismatch` when they cannot be read.
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

  /// Whether the packed elements of a tensor are `regions`, one after the other.
  ///
  /// - Throws: `inputOutput` and `checksumMismatch` when they cannot be read.
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

/// Ones: what a norm without weights multiplies by.
///
/// They lie in a temporary file without a name, so that they are copied like all other tensors.
struct ConstantTensor {
  private let dtype: DType
  private let file: any ByteSource

  /// `count` ones of type `dtype`.
  ///
  /// - Throws: `unsupported` for types that no weights have, `inputOutput` when there is no room.
  init(ones count: Int, _ dtype: DType) throws(CheckpointError) {
    self.dtype = dtype
    let one = try Self.one(dtype)
    var plan = FilePlan()
    plan.append(.literal([UInt8](repeatElement(one, count: count).joined())))
    file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
  }

  /// The first `count` ones as they lie in the file.
  func region(count: Int) -> FileRegion {
    FileRegion(source: file, range: 0..<count * dtype.byteCount, name: "ones")
  }

  /// Adds a vector of ones to a graph.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  func add(shape: [Int], to graph: inout TensorGraph) throws(CheckpointError) -> NodeID {
    try graph.addPackedTensor(
      dtype, shape, key: "ones", region: region(count: shape.reduce(1, *)))
  }

  /// One, little-endian.
  private static func one(_ dtype: DType) throws(CheckpointError) -> [UInt8] {
    switch dtype {
    case .float64: [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
    case .float32: [0, 0, 0x80, 0x3f]
    case .bfloat16: [0x80, 0x3f]
    case .float16: [0, 0x3c]
    default:
      throw CheckpointError(
        .unsupported, "weights are floating-point numbers, these are \(dtype.name)")
    }
  }
}

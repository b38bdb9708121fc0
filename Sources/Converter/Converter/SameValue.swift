internal import Bytes
internal import Graph
internal import Plan

/// Whether values of one graph that must be equal are.
struct SameValue {
  private let graph: TensorGraph

  init(_ graph: TensorGraph) { self.graph = graph }

  /// Whether two nodes are the same number, text or constant, or tensors with the same elements.
  ///
  /// Tensors are read unless they show the same bytes.
  /// - Throws: `inputOutput` and `checksumMismatch` when that fails.
  func holds(of left: NodeID, _ right: NodeID) throws(FormatError) -> Bool {
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
  func holds(of left: TensorID, _ right: TensorID) throws(FormatError) -> Bool {
    let (first, second) = (graph[left], graph[right])
    guard first.dtype == second.dtype, first.shape == second.shape else { return false }
    if let view = TensorView(first), view == TensorView(second) { return true }
    guard first.elementCount > 0 else { return true }
    let copy = try TemporaryOutput(in: Syscalls.temporaryDirectory())
    try CopyEngine().run(plan(of: first), into: copy)
    let region = FileRegion(
      file: try copy.makeSource(), range: 0..<first.byteCount, name: "a copy of the elements")
    return try holds(of: right, [region])
  }

  /// Whether the packed elements of a tensor are `regions`, one after the other.
  ///
  /// - Throws: `inputOutput` and `checksumMismatch` when they cannot be read.
  func holds(of id: TensorID, _ regions: [FileRegion]) throws(FormatError) -> Bool {
    let comparison = try ComparingOutput(expecting: regions)
    try CopyEngine().run(plan(of: graph[id]), into: comparison)
    return comparison.byteCount == comparison.expectedByteCount && comparison.differences.isEmpty
  }

  private func plan(of tensor: Tensor) -> FilePlan {
    var plan = FilePlan()
    for segment in tensor.segments(from: graph) { plan.append(segment) }
    return plan
  }
}

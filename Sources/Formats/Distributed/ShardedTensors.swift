internal import CkptBase
internal import CkptGraph

/// The pieces of a tensor that its ranks saved as `DTensor` or `ShardedTensor`.
struct ShardedTensors {
  /// The shape of the whole tensor.
  let shape: [Int]
  /// The number of ranks that the pieces are spread over, where they tell.
  private(set) var worldSize: Int?
  private var pieces: [TensorPiece] = []

  /// Whether a node is such a piece.
  static func isPiece(_ node: NodeID, in graph: TensorGraph) -> Bool {
    wrapped(node, in: graph) != nil
  }

  /// The arguments of `_rebuild_wrapper_subclass` and the state, as
  /// `torch._tensor._rebuild_from_type_v2` has them.
  private static func wrapped(
    _ node: NodeID, in graph: TensorGraph
  ) -> (arguments: [NodeID], state: [NodeID])? {
    guard case .object(let id) = graph[node],
      graph.isGlobal(graph[id].callable, "torch._tensor", "_rebuild_from_type_v2"),
      let items = graph.shortTuple(graph[id].arguments), items.count == 4,
      graph.isGlobal(items[0], "torch._utils", "_rebuild_wrapper_subclass"),
      let arguments = graph.shortTuple(items[2]), arguments.count > 2,
      let state = graph.shortTuple(items[3]), !state.isEmpty
    else { return nil }
    return (arguments, state)
  }

  /// Collects the pieces of a tensor from the ranks.
  ///
  /// - Throws: `malformed` for pieces of different tensors or without a place, `unsupported` for
  ///   placements that hold sums.
  init(_ nodes: [NodeID], in graph: TensorGraph) throws(CheckpointError) {
    var shape: [Int]?
    for node in nodes {
      guard let (arguments, _) = Self.wrapped(node, in: graph),
        let sizes = graph.extents(arguments[2]), shape == nil || shape == sizes
      else {
        throw CheckpointError(.malformed, "the ranks have pieces of different tensors")
      }
      shape = sizes
    }
    self.shape = shape ?? []
    for node in nodes {
      guard let (_, state) = Self.wrapped(node, in: graph) else { continue }
      if let slots = state.last, let local = graph.value(of: "_local_tensor", in: slots),
        let spec = graph.value(of: "_spec", in: slots)
      {
        try addLocal(local, spec, graph)
      } else if let shards = graph.elements(of: state[0]) {
        for shard in shards { try addShard(shard, graph) }
      } else {
        throw CheckpointError(.malformed, "a piece of a tensor has no data")
      }
    }
  }

  /// Adds the tensor of the whole to a graph and returns its node.
  ///
  /// - Throws: `malformed` where pieces overlap or leave holes.
  func join(in graph: inout TensorGraph) throws(CheckpointError) -> NodeID {
    var origins: Set<[Int]> = []
    // A rank without rows has a piece without elements, and replicas have the same place.
    let distinct = pieces.filter {
      graph[$0.tensor].elementCount > 0 && origins.insert($0.origin).inserted
    }
    let dtype = pieces.first.map { graph[$0.tensor].dtype } ?? .float32
    return try graph.addTensor(dtype, shape, of: graph.blocks(of: distinct))
  }

  // MARK: ShardedTensor

  /// Adds a `Shard` with its `ShardMetadata` (`torch/distributed/_shard`).
  private mutating func addShard(_ shard: NodeID, _ graph: TensorGraph) throws(CheckpointError) {
    guard let data = graph.attribute("tensor", of: shard), case .tensor(let tensor) = graph[data],
      let metadata = graph.attribute("metadata", of: shard),
      let origin = graph.attribute("shard_offsets", of: metadata).flatMap({ graph.extents($0) }),
      let sizes = graph.attribute("shard_sizes", of: metadata).flatMap({ graph.extents($0) }),
      sizes == graph[tensor].shape
    else {
      throw CheckpointError(.malformed, "a shard does not have the size that its metadata says")
    }
    pieces.append(TensorPiece(tensor: tensor, origin: origin))
  }

  // MARK: DTensor

  /// Adds the `_local_tensor` of a `DTensor`, whose place follows from mesh and placements
  /// (`torch/distributed/tensor/_utils.py`, `compute_local_shape_and_global_offset`).
  private mutating func addLocal(
    _ local: NodeID, _ spec: NodeID, _ graph: TensorGraph
  ) throws(CheckpointError) {
    guard case .tensor(let tensor) = graph[local], let mesh = graph.attribute("mesh", of: spec),
      let counts = meshShape(mesh, graph),
      let placements = graph.attribute("placements", of: spec).flatMap({ graph.elements(of: $0) }),
      placements.count == counts.count
    else { throw CheckpointError(.malformed, "the mesh of a DTensor is not understood") }
    worldSize = counts.reduce(1) { $0 &* $1 }
    guard let coordinate = graph.attribute("_coordinate_on_dim", of: mesh),
      coordinate != TensorGraph.none
    else { return }
    guard let coordinates = graph.extents(coordinate), coordinates.count == counts.count else {
      throw CheckpointError(.malformed, "the mesh of a DTensor is not understood")
    }
    var origin = [Int](repeating: 0, count: shape.count)
    var sizes = shape
    for index in try order(of: Array(placements), graph) {
      guard let dimension = try dimension(of: placements[placements.startIndex + index], graph)
      else {
        continue
      }
      guard sizes.indices.contains(dimension), counts[index] > 0 else {
        throw CheckpointError(.malformed, "a placement is along dimension \(dimension) of \(shape)")
      }
      let size = sizes[dimension]
      let part = size / counts[index] + (size % counts[index] == 0 ? 0 : 1)
      let (product, overflow) = part.multipliedReportingOverflow(by: coordinates[index])
      let start = overflow ? size : min(product, size)
      origin[dimension] += start
      sizes[dimension] = min(part, size - start)
    }
    guard graph[tensor].shape == sizes else {
      throw CheckpointError(
        .malformed, "a rank has \(graph[tensor].shape) where the mesh says \(sizes)")
    }
    pieces.append(TensorPiece(tensor: tensor, origin: origin))
  }

  private static let strided = "_StridedShard"

  /// The placements in the order in which they cut: those with strides last, from the inside.
  private func order(
    of placements: [NodeID], _ graph: TensorGraph
  ) throws(CheckpointError) -> [Int] {
    let strided = placements.indices.filter { graph.className(of: placements[$0]) == Self.strided }
    return placements.indices.filter { !strided.contains($0) } + strided.reversed()
  }

  /// The dimension that a placement cuts; `nil` for a replica.
  private func dimension(
    of placement: NodeID, _ graph: TensorGraph
  ) throws(CheckpointError) -> Int? {
    switch graph.className(of: placement) {
    case "Replicate": return nil
    case "Shard", Self.strided:
      if let dimension = graph.attribute("dim", of: placement).flatMap({ graph.int($0) }) {
        return dimension
      }
    default: break
    }
    throw CheckpointError(
      .unsupported,
      "the placement \(graph.description(of: placement, limit: 40)) of a DTensor is not supported",
      remedy: "redistribute the tensor to Shard or Replicate before it is saved")
  }

  /// The number of ranks along each dimension of a mesh: of its tensor, or since torch 2.13 of its
  /// layout.
  private func meshShape(_ mesh: NodeID, _ graph: TensorGraph) -> [Int]? {
    for name in ["mesh", "_mesh"] {
      if let node = graph.attribute(name, of: mesh), case .tensor(let tensor) = graph[node] {
        return graph[tensor].shape
      }
    }
    guard let layout = graph.attribute("_layout", of: mesh) else { return nil }
    if let axes = graph.attribute("axes", of: layout).flatMap({ graph.elements(of: $0) }) {
      let counts = axes.compactMap { axis in
        graph.attribute("shape", of: axis).flatMap { self.counts($0, graph) }?.reduce(1) {
          $0 &* $1
        }
      }
      return counts.count == axes.count ? counts : nil
    }
    return graph.attribute("shape", of: layout).flatMap { self.counts($0, graph) }
  }

  /// The counts along the dimensions of a part of a layout, which is a number if it has one.
  private func counts(_ node: NodeID, _ graph: TensorGraph) -> [Int]? {
    graph.int(node).map { [$0] } ?? graph.extents(node)
  }
}

package import CkptBase

extension TensorGraph {
  /// Appends everything in another graph; nothing in this one refers to it yet.
  ///
  /// It takes time linear in the size of `other`.
  ///
  /// - Returns: the map from its ids to the new ids.
  /// - Throws: `limitExceeded` if both together exceed ``Limits``.
  package mutating func append(_ other: TensorGraph) throws(CheckpointError) -> IDRemapping {
    let constants = Int(IDRemapping.constantCount)
    guard nodes.count + other.nodes.count - constants <= Limits.graphNodes,
      storages.count + other.storages.count <= Limits.graphNodes,
      children.count + other.children.count <= Int(UInt32.max)
    else {
      throw CheckpointError(
        .limitExceeded, "the checkpoint has more than \(Limits.graphNodes) Python objects")
    }
    guard text.count + other.text.count <= Int(UInt32.max) else { throw Self.tooMuchText }
    // These cannot overflow: the guards keep the sums below the limits of the types.
    let shift = IDRemapping(
      nodes: Int32(nodes.count - constants), children: UInt32(children.count),
      text: UInt32(text.count), objects: Int32(objects.count), tensors: Int32(tensors.count),
      storages: Int32(storages.count))
    nodes += other.nodes.dropFirst(constants).lazy.map { shift($0) }
    children += other.children.lazy.map { shift($0) }
    text += other.text
    objects += other.objects.lazy.map { shift($0) }
    tensors += other.tensors.lazy.map { shift($0) }
    storages += other.storages
    discarded += other.discarded.lazy.map { shift($0) }
    for (bytes, spelling) in other.spellings { spellings[shift(bytes)] = shift(spelling) }
    for (owner, owned) in other.parts { parts[shift(owner)] = owned.map { shift($0) } }
    return shift
  }
}

/// Maps a graph's ids to their ids after it was appended to another.
package struct IDRemapping: Sendable {
  /// The number of nodes that are the same in every graph.
  static let constantCount: Int32 = 4

  /// The offset of node ids.
  let nodes: Int32
  /// The offset of runs of children.
  let children: UInt32
  /// The offset of runs of text.
  let text: UInt32
  /// The offset of construction ids.
  let objects: Int32
  /// The offset of tensor ids.
  let tensors: Int32
  /// The offset of storage ids.
  let storages: Int32

  /// Returns the new id of a node.
  package func callAsFunction(_ id: NodeID) -> NodeID {
    id.index < Self.constantCount ? id : NodeID(index: Int(id.index + nodes))
  }

  /// Returns the new id of a tensor.
  package func callAsFunction(_ id: TensorID) -> TensorID { TensorID(index: id.index + tensors) }

  /// Returns the new id of a storage.
  package func callAsFunction(_ id: StorageID) -> StorageID {
    StorageID(index: id.index + storages)
  }

  func callAsFunction(_ id: ObjectID) -> ObjectID { ObjectID(index: id.index + objects) }

  func callAsFunction(_ run: NodeRun) -> NodeRun {
    NodeRun(start: run.start + children, count: run.count, capacity: run.capacity)
  }

  func callAsFunction(_ run: ByteRun) -> ByteRun {
    ByteRun(start: run.start + text, count: run.count)
  }

  func callAsFunction(_ node: Node) -> Node {
    switch node {
    case .none, .bool, .int, .float: node
    case .largeInt(let run): .largeInt(self(run))
    case .string(let run): .string(self(run))
    case .bytes(let run): .bytes(self(run))
    case .byteArray(let run): .byteArray(self(run))
    case .tuple(let run): .tuple(self(run))
    case .list(let run): .list(self(run))
    case .dict(let run): .dict(self(run))
    case .set(let run): .set(self(run))
    case .frozenSet(let run): .frozenSet(self(run))
    case .global(let module, let name): .global(module: self(module), name: self(name))
    case .object(let id): .object(self(id))
    case .persistent(let id): .persistent(self(id))
    case .tensor(let id): .tensor(self(id))
    }
  }

  func callAsFunction(_ object: ObjectNode) -> ObjectNode {
    var object = object
    object.callable = self(object.callable)
    object.arguments = self(object.arguments)
    object.keywords = object.keywords.map { self($0) }
    object.items = self(object.items)
    object.pairs = self(object.pairs)
    object.state = object.state.map { self($0) }
    return object
  }

  func callAsFunction(_ tensor: Tensor) -> Tensor {
    var tensor = tensor
    tensor.node = self(tensor.node)
    tensor.storage = tensor.storage.map { self($0) }
    switch tensor.origin {
    case .plain: break
    case .call(let id): tensor.origin = .call(self(id))
    case .storage(let id): tensor.origin = .storage(id: self(id))
    }
    return tensor
  }

  func callAsFunction(_ part: Part) -> Part {
    switch part.component {
    case .key(let id): Part(.key(self(id)), self(part.node))
    case .index, .attribute, nil: Part(part.component, self(part.node))
    }
  }
}

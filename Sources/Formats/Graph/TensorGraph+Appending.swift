package import CkptBase

extension TensorGraph {
  /// Takes in everything that another graph holds; nothing here refers to it yet.
  ///
  /// Takes time linear in the size of `other`.
  ///
  /// - Returns: what its nodes, tensors and storages are called here.
  /// - Throws: `limitExceeded` when both together are beyond ``Limits``.
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
    // Safe from truncation: the guards keep the sums below the bounds of these types.
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

/// What the nodes, tensors and storages of a graph are called in another one that has taken them in.
package struct IDRemapping: Sendable {
  /// The nodes that every graph begins with stay what they are.
  static let constantCount: Int32 = 4

  /// What is added to the number of a node.
  let nodes: Int32
  /// What is added to the place of a run of children.
  let children: UInt32
  /// What is added to the place of a run of text.
  let text: UInt32
  /// What is added to the number of a construction.
  let objects: Int32
  /// What is added to the number of a tensor.
  let tensors: Int32
  /// What is added to the number of a storage.
  let storages: Int32

  /// What the node is called now.
  package func callAsFunction(_ id: NodeID) -> NodeID {
    id.index < Self.constantCount ? id : NodeID(index: Int(id.index + nodes))
  }

  /// What the tensor is called now.
  package func callAsFunction(_ id: TensorID) -> TensorID { TensorID(index: id.index + tensors) }

  /// What the storage is called now.
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

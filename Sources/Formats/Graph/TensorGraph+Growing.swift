package import CkptBase

/// Additions to the arena, and changes to its contents.
extension TensorGraph {
  /// Reserves space for `count` tensors with a storage and a name each.
  package mutating func reserveCapacity(tensorCount count: Int) {
    tensors.reserveCapacity(tensors.count + count)
    storages.reserveCapacity(storages.count + count)
    nodes.reserveCapacity(nodes.count + 2 * count)
  }

  /// Adds a node.
  ///
  /// - Throws: `limitExceeded` beyond ``Limits/graphNodes``.
  @inlinable @inline(__always)
  package mutating func add(_ node: Node) throws(CheckpointError) -> NodeID {
    guard nodes.count < Limits.graphNodes else { throw Self.tooManyNodes }
    nodes.append(node)
    return NodeID(index: nodes.count - 1)
  }

  /// The error for too many nodes.
  @usableFromInline
  static var tooManyNodes: CheckpointError {
    CheckpointError(
      .limitExceeded, "the checkpoint has more than \(Limits.graphNodes) Python objects")
  }

  /// Makes the root an empty dict.
  package mutating func addEmptyRoot() -> NodeID {
    nodes.append(.dict(.empty))
    root = NodeID(index: nodes.count - 1)
    return root
  }

  /// Replaces a node; every reference to it sees the change.
  @inlinable
  package mutating func replace(_ id: NodeID, with node: Node) { nodes[Int(id.index)] = node }

  /// Adds a construction with its node.
  ///
  /// - Throws: `limitExceeded` beyond ``Limits/graphNodes``.
  package mutating func add(_ object: ObjectNode) throws(CheckpointError) -> NodeID {
    objects.append(object)
    return try add(.object(ObjectID(index: Int32(objects.count - 1))))
  }

  /// Adds a construction and assigns it to a node.
  package mutating func place(_ object: ObjectNode, at id: NodeID) {
    objects.append(object)
    replace(id, with: .object(ObjectID(index: Int32(objects.count - 1))))
  }

  /// Adds a tensor and assigns it to its node.
  package mutating func add(_ tensor: Tensor) {
    tensors.append(tensor)
    replace(tensor.node, with: .tensor(TensorID(index: Int32(tensors.count - 1))))
  }

  /// Replaces a tensor by another one.
  package mutating func replace(_ id: TensorID, with tensor: Tensor) {
    tensors[Int(id.index)] = tensor
  }

  /// Sets the region where a file has the elements of a tensor packed.
  package mutating func setPacked(_ region: FileRegion, of id: TensorID) {
    tensors[Int(id.index)].packed = region
  }

  /// Sets the blocks of a storage that no file has in one piece.
  package mutating func setBlocks(_ blocks: PlacedBlocks?, of id: StorageID) {
    storages[Int(id.index)].blocks = blocks
  }

  /// Sets whether autograd records operations on a tensor; other nodes are unchanged.
  package mutating func setRequiresGradient(_ flag: Bool, of node: NodeID) {
    guard case .tensor(let id) = self[node] else { return }
    tensors[Int(id.index)].requiresGradient = flag
  }

  /// Says that a tensor is a shard of one of `shape`; other nodes are none.
  package mutating func setWholeShape(_ shape: [Int], of node: NodeID) {
    guard case .tensor(let id) = self[node], self[id].shape != shape else { return }
    tensors[Int(id.index)].wholeShape = shape
  }

  /// Sets the construction of a tensor in pickles.
  package mutating func setConstruction(_ object: ObjectNode, of id: TensorID) {
    objects.append(object)
    tensors[Int(id.index)].origin = .call(ObjectID(index: Int32(objects.count - 1)))
  }

  /// Sets the name of a storage in its archive.
  package mutating func setKey(_ key: String, of id: StorageID) {
    storages[Int(id.index)].key = key
  }

  /// Puts a storage in the place of another.
  package mutating func replace(_ id: StorageID, with storage: Storage) {
    storages[Int(id.index)] = storage
  }

  /// Adds a storage.
  package mutating func add(_ storage: Storage) -> StorageID {
    storages.append(storage)
    return StorageID(index: Int32(storages.count - 1))
  }

  /// Adds a str.
  ///
  /// - Throws: `limitExceeded` if the graph is full.
  package mutating func addString(_ string: String) throws(CheckpointError) -> NodeID {
    try add(.string(addBytes(string.utf8.span)))
  }

  /// Copies bytes into the arena.
  ///
  /// - Throws: `limitExceeded` if the arena would exceed 4 GiB.
  package mutating func addBytes(_ bytes: Span<UInt8>) throws(CheckpointError) -> ByteRun {
    let start = text.count
    guard start + bytes.count <= Int(UInt32.max) else { throw Self.tooMuchText }
    WorkCount.add(bytes.count)
    text.append(copying: bytes)
    return ByteRun(start: UInt32(start), count: UInt32(bytes.count))
  }

  /// The error for an arena of more than 4 GiB.
  static var tooMuchText: CheckpointError {
    CheckpointError(.limitExceeded, "the checkpoint has more than 4 GiB of text and bytes")
  }

  /// Copies bytes into the arena.
  ///
  /// - Throws: `limitExceeded` if the arena would exceed 4 GiB.
  package mutating func addBytes(_ bytes: [UInt8]) throws(CheckpointError) -> ByteRun {
    try addBytes(bytes.span)
  }

  /// Copies node ids into the arena as the children of a container.
  package mutating func addChildren(_ new: ArraySlice<NodeID>) -> NodeRun {
    WorkCount.add(new.count)
    let start = children.count
    children.append(contentsOf: new)
    return NodeRun(
      start: UInt32(start), count: UInt32(new.count), capacity: UInt32(new.count))
  }

  /// Appends children to a container's run.
  ///
  /// A run at the end of the arena grows in place. Another one moves there, with space to double,
  /// so that filling containers in turns takes linear time.
  package mutating func append(_ new: ArraySlice<NodeID>, to run: inout NodeRun) {
    let count = Int(run.count) + new.count
    if Int(run.start) + Int(run.capacity) == children.count {
      let free = children.count - run.range.upperBound
      children.removeLast(free)
      children.append(contentsOf: new)
      run.capacity = UInt32(count)
    } else if count <= Int(run.capacity) {
      children.replaceSubrange(
        run.range.upperBound..<run.range.upperBound + new.count, with: new)
    } else {
      let old = Array(children[run.range])
      WorkCount.add(old.count)
      run.start = UInt32(children.count)
      run.capacity = UInt32(2 * count)
      children.append(contentsOf: old)
      children.append(contentsOf: new)
      children.append(
        contentsOf: repeatElement(Self.none, count: Int(run.capacity) - count))
    }
    run.count = UInt32(count)
  }

  /// Appends two children to a container's run.
  package mutating func append(_ first: NodeID, _ second: NodeID, to run: inout NodeRun) {
    guard run.range.upperBound == children.count, run.capacity == run.count else {
      return append([first, second], to: &run)
    }
    children.append(first)
    children.append(second)
    run.count += 2
    run.capacity = run.count
  }

  /// Replaces the children of a run by at most as many.
  package mutating func shorten(_ run: inout NodeRun, to kept: [NodeID]) {
    children.replaceSubrange(run.range.prefix(kept.count), with: kept)
    run.count = UInt32(kept.count)
  }
}

/// Names a node of one ``TensorGraph``; equal identifiers mean the same Python object.
public struct NodeID: Hashable, Sendable {
  /// The node's place in the arena.
  package let index: Int32

  package init(index: Int) {
    // Safe from truncation: `Limits.graphNodes` is far below `Int32.max`.
    self.index = Int32(truncatingIfNeeded: index)
  }
}

/// Names an entry of ``TensorGraph/objects``.
public struct ObjectID: Hashable, Sendable {
  package let index: Int32
}

/// Names an entry of ``TensorGraph/tensors``.
public struct TensorID: Hashable, Sendable {
  package let index: Int32
}

/// Names an entry of ``TensorGraph/storages``.
public struct StorageID: Hashable, Sendable {
  package let index: Int32
}

extension StorageID {
  package init(index: Int) { self.init(index: Int32(truncatingIfNeeded: index)) }
}

extension TensorID {
  package init(index: Int) { self.init(index: Int32(truncatingIfNeeded: index)) }
}

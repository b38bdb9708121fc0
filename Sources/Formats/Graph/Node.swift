/// A Python object of a checkpoint.
///
/// Nodes are Python *values*: an object that protocols spell in different ways (bytes, sets) is one
/// case. An object that only its class can build stays a construction, which is never run:
/// ``object(_:)``.
package enum Node: Sendable {
  /// `None`.
  case none
  /// `True` or `False`.
  case bool(Bool)
  /// An int that fits 64 bits.
  case int(Int)
  /// A larger int, as minimal little-endian two's complement.
  case largeInt(ByteRun)
  /// A float.
  case float(Double)
  /// A str, as UTF-8; lone surrogates have three bytes.
  case string(ByteRun)
  /// A bytes object.
  case bytes(ByteRun)
  /// A bytearray.
  case byteArray(ByteRun)
  /// A tuple.
  case tuple(NodeRun)
  /// A list.
  case list(NodeRun)
  /// A dict, as alternating keys and values.
  case dict(NodeRun)
  /// A set, in the order of the pickle.
  case set(NodeRun)
  /// A frozenset, in the order of the pickle.
  case frozenSet(NodeRun)
  /// A class, function or constant, named by two strings and never resolved.
  case global(module: NodeID, name: NodeID)
  /// The result of a call, which is recorded and never made.
  case object(ObjectID)
  /// A persistent id; in a checkpoint it names a storage.
  case persistent(NodeID)
  /// A tensor.
  case tensor(TensorID)
}

/// A run of bytes in the text arena of a graph.
package struct ByteRun: Hashable, Sendable {
  @usableFromInline package var start: UInt32
  @usableFromInline package var count: UInt32
}

/// A run of node ids in the child arena of a graph.
package struct NodeRun: Hashable, Sendable {
  @usableFromInline package var start: UInt32
  /// The number of children.
  @usableFromInline package var count: UInt32
  /// The number of children that fit before the run has to move.
  @usableFromInline package var capacity: UInt32

  package static let empty = NodeRun(start: 0, count: 0, capacity: 0)

  @inlinable package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// The id of a node in one ``TensorGraph``; equal ids mean the same Python object.
package struct NodeID: Hashable, Sendable {
  /// The index of the node in the arena.
  @usableFromInline package let index: Int32

  @inlinable package init(index: Int) {
    // This cannot overflow: `Limits.graphNodes` is far below `Int32.max`.
    self.index = Int32(truncatingIfNeeded: index)
  }
}

/// The id of an entry in ``TensorGraph/objects``.
package struct ObjectID: Hashable, Sendable {
  @usableFromInline package let index: Int32
}

/// The id of an entry in ``TensorGraph/tensors``.
package struct TensorID: Hashable, Sendable {
  @usableFromInline package let index: Int32
}

/// The id of an entry in ``TensorGraph/storages``.
package struct StorageID: Hashable, Sendable {
  @usableFromInline package let index: Int32
}

extension StorageID {
  package init(index: Int) { self.init(index: Int32(truncatingIfNeeded: index)) }
}

extension TensorID {
  package init(index: Int) { self.init(index: Int32(truncatingIfNeeded: index)) }
}

/// A Python object, recorded as the calls that would rebuild it; they are never made.
package struct ObjectNode: Sendable {
  /// The pickle opcode that creates an object.
  package enum Form: Hashable, Sendable {
    /// `callable(*arguments)`: REDUCE.
    case call
    /// `callable.__new__(callable, *arguments)`: NEWOBJ.
    case new
    /// `callable.__new__(callable, *arguments, **keywords)`: NEWOBJ_EX.
    case newWithKeywords
    /// A Python 2 instance: INST and OBJ.
    case instance
  }

  /// The pickle opcode that creates the object.
  package var form: Form
  /// The class or function.
  package var callable: NodeID
  /// The arguments, a tuple.
  package var arguments: NodeID
  /// The named arguments, a dict; for ``Form/newWithKeywords`` only.
  package var keywords: NodeID?
  /// The items that are appended afterwards.
  package var items: NodeRun
  /// The keys and values that are set afterwards, alternating.
  package var pairs: NodeRun
  /// The state that is set afterwards: BUILD.
  package var state: NodeID?

  package init(form: Form, callable: NodeID, arguments: NodeID, keywords: NodeID? = nil) {
    self.form = form
    self.callable = callable
    self.arguments = arguments
    self.keywords = keywords
    items = .empty
    pairs = .empty
  }
}

/// A named value inside an object or tensor whose construction does not give it a name.
///
/// Readers that know the class attach parts. A sparse tensor has `indices` and `values`. A
/// parameter has one unnamed part, its tensor.
package struct Part: Sendable {
  /// The step from the object to the part, or `nil` if the part has the name of the object.
  package var component: PathComponent?
  /// The value.
  package var node: NodeID

  package init(_ component: PathComponent?, _ node: NodeID) {
    self.component = component
    self.node = node
  }
}

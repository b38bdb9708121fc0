/// One Python object of a checkpoint.
///
/// Nodes are Python *values*: what a pickle spells differently from protocol to protocol (bytes,
/// sets) is one case here. Objects that only their class could build stay what they are in a
/// pickle, a construction that nobody runs: ``object(_:)``.
package enum Node: Sendable {
  /// `None`.
  case none
  /// `True` or `False`.
  case bool(Bool)
  /// An int that fits 64 bits.
  case int(Int)
  /// Any larger int, as minimal little-endian two's complement.
  case largeInt(ByteRun)
  /// A float.
  case float(Double)
  /// A str, as UTF-8 in which lone surrogates are coded as three bytes.
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
  /// A class, function or constant, named by two strings and never looked up.
  case global(module: NodeID, name: NodeID)
  /// The result of a call that is recorded and not made.
  case object(ObjectID)
  /// What a persistent id stands for: in a checkpoint, a storage.
  case persistent(NodeID)
  /// A tensor.
  case tensor(TensorID)
}

/// A run of bytes in a graph's text arena.
package struct ByteRun: Hashable, Sendable {
  @usableFromInline package var start: UInt32
  @usableFromInline package var count: UInt32
}

/// A run of node identifiers in a graph's child arena.
package struct NodeRun: Hashable, Sendable {
  @usableFromInline package var start: UInt32
  /// How many children there are.
  @usableFromInline package var count: UInt32
  /// How many children fit before the run has to move.
  @usableFromInline package var capacity: UInt32

  package static let empty = NodeRun(start: 0, count: 0, capacity: 0)

  @inlinable package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// Names a node of one ``TensorGraph``; equal identifiers mean the same Python object.
package struct NodeID: Hashable, Sendable {
  /// The node's place in the arena.
  @usableFromInline package let index: Int32

  @inlinable package init(index: Int) {
    // Safe from truncation: `Limits.graphNodes` is far below `Int32.max`.
    self.index = Int32(truncatingIfNeeded: index)
  }
}

/// Names an entry of ``TensorGraph/objects``.
package struct ObjectID: Hashable, Sendable {
  @usableFromInline package let index: Int32
}

/// Names an entry of ``TensorGraph/tensors``.
package struct TensorID: Hashable, Sendable {
  @usableFromInline package let index: Int32
}

/// Names an entry of ``TensorGraph/storages``.
package struct StorageID: Hashable, Sendable {
  @usableFromInline package let index: Int32
}

extension StorageID {
  package init(index: Int) { self.init(index: Int32(truncatingIfNeeded: index)) }
}

extension TensorID {
  package init(index: Int) { self.init(index: Int32(truncatingIfNeeded: index)) }
}

/// A Python object as the calls that would rebuild it; none of them is ever made.
package struct ObjectNode: Sendable {
  /// Which pickle operation creates the object.
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

  /// Which pickle operation creates the object.
  package var form: Form
  /// The class or function.
  package var callable: NodeID
  /// A tuple.
  package var arguments: NodeID
  /// A dict, for ``Form/newWithKeywords`` only.
  package var keywords: NodeID?
  /// Items appended afterwards.
  package var items: NodeRun
  /// Keys and values set afterwards, alternating.
  package var pairs: NodeRun
  /// The state handed to the object afterwards: BUILD.
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

/// A named value inside an object or tensor that its construction does not name by itself.
///
/// Readers that know a library's classes attach parts; a sparse tensor has `indices` and `values`, a
/// parameter has one part without a name of its own, the tensor.
package struct Part: Sendable {
  /// The step from the object to the part, or `nil` if the part goes by the object's name.
  package var component: PathComponent?
  /// The part.
  package var node: NodeID

  package init(_ component: PathComponent?, _ node: NodeID) {
    self.component = component
    self.node = node
  }
}

/// One Python object of a checkpoint.
///
/// Nodes are Python *values*: what a pickle spells differently from protocol to protocol (bytes,
/// sets) is one case here. Objects that only their class could build stay what they are in a
/// pickle, a construction that nobody runs: ``object(_:)``.
public enum Node: Sendable {
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
public struct ByteRun: Hashable, Sendable {
  package var start: UInt32
  package var count: UInt32
}

/// A run of node identifiers in a graph's child arena.
public struct NodeRun: Hashable, Sendable {
  package var start: UInt32
  /// How many children there are.
  package var count: UInt32
  /// How many children fit before the run has to move.
  package var capacity: UInt32

  package static let empty = NodeRun(start: 0, count: 0, capacity: 0)

  package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

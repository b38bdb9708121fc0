/// The contents of a checkpoint, whatever its format: an arena of Python objects with identity.
///
/// Pickles share objects, refer to themselves and tie tensors to one storage, so a tree would not
/// do: two references are the same ``NodeID`` exactly when Python would say `is`. Tensor data is not
/// part of a graph; a ``Storage`` tells where it lies in a file.
///
/// The arena grows while a reader fills it and is read-only afterwards.
public struct TensorGraph: Sendable {
  /// The object everything else hangs from.
  public package(set) var root: NodeID
  /// The constructions behind object nodes and tensors.
  public internal(set) var objects: [ObjectNode] = []
  /// The tensors, in the order in which the reader met them.
  public internal(set) var tensors: [Tensor] = []
  /// The storages, in the order in which the reader met them.
  public internal(set) var storages: [Storage] = []
  /// Calls whose results the pickle dropped, kept so that nothing is lost silently.
  public package(set) var discarded: [NodeID] = []

  /// The one-character strs that protocol 2 spelled one-byte bytes with.
  ///
  /// CPython has each such character once, so the str may be one object with others in the file.
  public package(set) var spellings: [NodeID: NodeID] = [:]

  /// Named values inside objects and tensors, attached by readers that know their classes.
  public package(set) var parts: [NodeID: [Part]] = [:]

  var nodes: [Node]
  var children: [NodeID] = []
  var text: [UInt8] = []

  /// `None`, which is one object.
  package static let none = NodeID(index: 0)
  /// `False`, which is one object.
  package static let `false` = NodeID(index: 1)
  /// `True`, which is one object.
  package static let `true` = NodeID(index: 2)
  /// The empty tuple, which is one object in CPython.
  package static let emptyTuple = NodeID(index: 3)

  /// A graph whose root is `None`.
  public init() {
    nodes = [.none, .bool(false), .bool(true), .tuple(.empty)]
    root = Self.none
  }

  /// How many nodes the arena holds, reachable or not.
  public var nodeCount: Int { nodes.count }

  /// How many bytes the texts, bytes objects and large ints of the arena have together.
  package var textByteCount: Int { text.count }

  /// The node that `id` names.
  public subscript(id: NodeID) -> Node { nodes[Int(id.index)] }

  /// The construction that `id` names.
  public package(set) subscript(id: ObjectID) -> ObjectNode {
    get { objects[Int(id.index)] }
    set { objects[Int(id.index)] = newValue }
  }

  /// The tensor that `id` names.
  public subscript(id: TensorID) -> Tensor { tensors[Int(id.index)] }

  /// The storage that `id` names.
  public subscript(id: StorageID) -> Storage { storages[Int(id.index)] }

  /// The children of a container, as a view of the arena.
  public subscript(run: NodeRun) -> ArraySlice<NodeID> { children[run.range] }

  /// The bytes of a string, bytes object or large int, as a view of the arena.
  public subscript(run: ByteRun) -> ArraySlice<UInt8> {
    text[Int(run.start)..<Int(run.start) + Int(run.count)]
  }

  /// The place of a node in the arena.
  package func index(of id: NodeID) -> Int { Int(id.index) }

  /// The place of a tensor in ``tensors``.
  public func index(of id: TensorID) -> Int { Int(id.index) }

  /// The place of a storage in ``storages``.
  public func index(of id: StorageID) -> Int { Int(id.index) }
}

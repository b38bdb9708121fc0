internal import CkptBase

/// The contents of a checkpoint in any format: an arena of Python objects with identity.
///
/// Pickles share objects, refer to themselves and tie tensors to one storage, so the contents are
/// not a tree. Two references are the same ``NodeID`` exactly if Python's `is` would be true.
/// Tensor data is not part of a graph: a ``Storage`` only has its location in a file.
///
/// The arena grows while a reader fills it and is read-only afterwards.
package struct TensorGraph: Sendable {
  /// The root object.
  package var root: NodeID
  /// The constructions behind object nodes and tensors.
  package internal(set) var objects: [ObjectNode] = []
  /// The tensors, in reading order.
  package internal(set) var tensors: [Tensor] = []
  /// The storages, in reading order.
  package internal(set) var storages: [Storage] = []
  /// The calls whose results the pickle dropped, kept so that nothing is lost silently.
  package var discarded: [NodeID] = []

  /// The one-character strs with which protocol 2 spelled one-byte bytes objects.
  ///
  /// CPython has one object for each such character, so the str can be shared with others in the
  /// file.
  package var spellings: [NodeID: NodeID] = [:]

  /// The named values inside objects and tensors, attached by readers that know their classes.
  package var parts: [NodeID: [Part]] = [:]

  @usableFromInline var nodes: [Node]
  @usableFromInline var children: [NodeID] = []
  @usableFromInline var text: [UInt8] = []

  /// `None`, a single object.
  package static let none = NodeID(index: 0)
  /// `False`, a single object.
  package static let `false` = NodeID(index: 1)
  /// `True`, a single object.
  package static let `true` = NodeID(index: 2)
  /// The empty tuple, a single object in CPython.
  package static let emptyTuple = NodeID(index: 3)

  /// Creates a graph with the root `None`.
  package init() {
    nodes = [.none, .bool(false), .bool(true), .tuple(.empty)]
    root = Self.none
  }

  /// The number of nodes in the arena, reachable or not.
  @inlinable package var nodeCount: Int { nodes.count }

  /// The total size of the texts, bytes objects and large ints in the arena, in bytes.
  package var textByteCount: Int { text.count }

  /// The node with an id.
  @inlinable package subscript(id: NodeID) -> Node {
    WorkCount.add(1)
    return nodes[Int(id.index)]
  }

  /// The construction with an id.
  package subscript(id: ObjectID) -> ObjectNode {
    @inlinable get { objects[Int(id.index)] }
    set { objects[Int(id.index)] = newValue }
  }

  /// The tensor with an id.
  @inlinable package subscript(id: TensorID) -> Tensor { tensors[Int(id.index)] }

  /// The storage with an id.
  @inlinable package subscript(id: StorageID) -> Storage { storages[Int(id.index)] }

  /// The children of a container, as a view of the arena.
  @inlinable package subscript(run: NodeRun) -> ArraySlice<NodeID> { children[run.range] }

  /// Returns one child of a container.
  @inlinable package func child(_ index: Int, of run: NodeRun) -> NodeID {
    precondition(index < run.count)
    return children[Int(run.start) + index]
  }

  /// The bytes of a string, bytes object or large int, as a view of the arena.
  @inlinable package subscript(run: ByteRun) -> ArraySlice<UInt8> {
    text[Int(run.start)..<Int(run.start) + Int(run.count)]
  }

  /// Returns the index of a node in the arena.
  @inlinable package func index(of id: NodeID) -> Int { Int(id.index) }

  /// Returns the index of a tensor in ``tensors``.
  @inlinable package func index(of id: TensorID) -> Int { Int(id.index) }

  /// Returns the index of a storage in ``storages``.
  @inlinable package func index(of id: StorageID) -> Int { Int(id.index) }
}

/// The values of simple nodes.
extension TensorGraph {
  /// Returns the text of a str node, with lone surrogates replaced; `nil` for another node.
  package func string(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id] else { return nil }
    return decoded(run)
  }

  /// Returns the text of a str node that can be a name; `nil` for another node and for texts longer
  /// than ``Limits/nameBytes``.
  package func name(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id], run.count <= Limits.nameBytes else { return nil }
    return string(id)
  }

  /// Returns the module and name of a global that can be a known class; `nil` for another node and
  /// for names longer than ``Limits/knownNameBytes``.
  ///
  /// It is called for every call of a pickle, and a call takes only a few bytes.
  package func shortGlobal(_ id: NodeID) -> (module: String, name: String)? {
    guard case .global(let module, let name) = self[id], case .string(let moduleRun) = self[module],
      case .string(let nameRun) = self[name],
      max(moduleRun.count, nameRun.count) <= Limits.knownNameBytes
    else { return nil }
    return (decoded(moduleRun), decoded(nameRun))
  }

  private func decoded(_ run: ByteRun) -> String {
    WorkCount.add(Int(run.count))
    return String(decoding: self[run], as: UTF8.self)
  }

  /// Returns the value of an int or bool node that fits 64 bits; `nil` for another node.
  package func int(_ id: NodeID) -> Int? {
    switch self[id] {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// Returns the elements of a tuple node; `nil` for another node.
  package func tuple(_ id: NodeID) -> ArraySlice<NodeID>? {
    guard case .tuple(let run) = self[id] else { return nil }
    return self[run]
  }

  /// Returns the elements of a list or tuple node; `nil` for another node.
  package func elements(of id: NodeID) -> ArraySlice<NodeID>? {
    switch self[id] {
    case .list(let run), .tuple(let run): self[run]
    default: nil
    }
  }

  /// Returns the items of a tuple that can be the arguments or state of a known class; `nil` for
  /// another node and for tuples longer than ``Limits/knownArguments``.
  ///
  /// Any number of objects can refer to one long tuple, so a long one is ignored.
  package func shortTuple(_ id: NodeID) -> [NodeID]? {
    guard let items = tuple(id), items.count <= Limits.knownArguments else { return nil }
    return Array(items)
  }

  /// Whether `id` is the global `module.name`.
  package func isGlobal(_ id: NodeID, _ module: String, _ name: String) -> Bool {
    guard case .global(let moduleID, let nameID) = self[id] else { return false }
    return text(of: moduleID, equals: module) && text(of: nameID, equals: name)
  }

  /// Whether `id` is a str with exactly the text `expected`.
  package func text(of id: NodeID, equals expected: String) -> Bool {
    guard case .string(let run) = self[id], Int(run.count) == expected.utf8.count else {
      return false
    }
    let start = Int(run.start)
    return text.span.extracting(start..<start + Int(run.count)).isEqual(to: expected.utf8.span)
  }

  /// Returns the dotted name of a global; `nil` for another node.
  package func globalName(_ id: NodeID) -> String? {
    guard case .global(let module, let name) = self[id] else { return nil }
    return "\(string(module) ?? "?").\(string(name) ?? "?")"
  }
}

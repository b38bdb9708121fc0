internal import CkptBase

/// The contents of a checkpoint, whatever its format: an arena of Python objects with identity.
///
/// Pickles share objects, refer to themselves and tie tensors to one storage, so a tree would not
/// do: two references are the same ``NodeID`` exactly when Python would say `is`. Tensor data is not
/// part of a graph; a ``Storage`` tells where it lies in a file.
///
/// The arena grows while a reader fills it and is read-only afterwards.
package struct TensorGraph: Sendable {
  /// The object everything else hangs from.
  package var root: NodeID
  /// The constructions behind object nodes and tensors.
  package internal(set) var objects: [ObjectNode] = []
  /// The tensors, in the order in which the reader met them.
  package internal(set) var tensors: [Tensor] = []
  /// The storages, in the order in which the reader met them.
  package internal(set) var storages: [Storage] = []
  /// Calls whose results the pickle dropped, kept so that nothing is lost silently.
  package var discarded: [NodeID] = []

  /// The one-character strs that protocol 2 spelled one-byte bytes with.
  ///
  /// CPython has each such character once, so the str may be one object with others in the file.
  package var spellings: [NodeID: NodeID] = [:]

  /// Named values inside objects and tensors, attached by readers that know their classes.
  package var parts: [NodeID: [Part]] = [:]

  @usableFromInline var nodes: [Node]
  @usableFromInline var children: [NodeID] = []
  @usableFromInline var text: [UInt8] = []

  /// `None`, which is one object.
  package static let none = NodeID(index: 0)
  /// `False`, which is one object.
  package static let `false` = NodeID(index: 1)
  /// `True`, which is one object.
  package static let `true` = NodeID(index: 2)
  /// The empty tuple, which is one object in CPython.
  package static let emptyTuple = NodeID(index: 3)

  /// A graph whose root is `None`.
  package init() {
    nodes = [.none, .bool(false), .bool(true), .tuple(.empty)]
    root = Self.none
  }

  /// How many nodes the arena holds, reachable or not.
  @inlinable package var nodeCount: Int { nodes.count }

  /// How many bytes the texts, bytes objects and large ints of the arena have together.
  package var textByteCount: Int { text.count }

  /// The node that `id` names.
  @inlinable package subscript(id: NodeID) -> Node {
    WorkCount.add(1)
    return nodes[Int(id.index)]
  }

  /// The construction that `id` names.
  package subscript(id: ObjectID) -> ObjectNode {
    @inlinable get { objects[Int(id.index)] }
    set { objects[Int(id.index)] = newValue }
  }

  /// The tensor that `id` names.
  @inlinable package subscript(id: TensorID) -> Tensor { tensors[Int(id.index)] }

  /// The storage that `id` names.
  @inlinable package subscript(id: StorageID) -> Storage { storages[Int(id.index)] }

  /// The children of a container, as a view of the arena.
  @inlinable package subscript(run: NodeRun) -> ArraySlice<NodeID> { children[run.range] }

  /// One of the children of a container.
  @inlinable package func child(_ index: Int, of run: NodeRun) -> NodeID {
    precondition(index < run.count)
    return children[Int(run.start) + index]
  }

  /// The bytes of a string, bytes object or large int, as a view of the arena.
  @inlinable package subscript(run: ByteRun) -> ArraySlice<UInt8> {
    text[Int(run.start)..<Int(run.start) + Int(run.count)]
  }

  /// The place of a node in the arena.
  @inlinable package func index(of id: NodeID) -> Int { Int(id.index) }

  /// The place of a tensor in ``tensors``.
  @inlinable package func index(of id: TensorID) -> Int { Int(id.index) }

  /// The place of a storage in ``storages``.
  @inlinable package func index(of id: StorageID) -> Int { Int(id.index) }
}

/// What a node is, when it is one of the simple kinds.
extension TensorGraph {
  /// The text of a str node, with lone surrogates replaced, or `nil` for another node.
  package func string(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id] else { return nil }
    return decoded(run)
  }

  /// The text of a str node that may be a name, or `nil` for another node and for longer texts than
  /// ``Limits/nameBytes``.
  package func name(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id], run.count <= Limits.nameBytes else { return nil }
    return string(id)
  }

  /// The module and the name of a global whose class may be known here, or `nil` for another node and
  /// for longer names than ``Limits/knownNameBytes``.
  ///
  /// It is asked of every call that a pickle makes, which take a few bytes each.
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

  /// The value of an int or bool node that fits 64 bits, or `nil` for another node.
  package func int(_ id: NodeID) -> Int? {
    switch self[id] {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// The elements of a tuple node, or `nil` for another node.
  package func tuple(_ id: NodeID) -> ArraySlice<NodeID>? {
    guard case .tuple(let run) = self[id] else { return nil }
    return self[run]
  }

  /// The items of a tuple that may be arguments or a state of a class that is known, or `nil` for
  /// another node and for longer tuples than ``Limits/knownArguments``.
  ///
  /// Any number of objects can refer to one tuple of any length, so a long one is not looked at.
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

  /// The dotted name of a global, or `nil` for another node.
  package func globalName(_ id: NodeID) -> String? {
    guard case .global(let module, let name) = self[id] else { return nil }
    return "\(string(module) ?? "?").\(string(name) ?? "?")"
  }
}

package import Bytes

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
}

// MARK: - Growing

extension TensorGraph {
  /// Makes room for `count` tensors that have a storage and a name of their own.
  package mutating func reserveCapacity(tensorCount count: Int) {
    tensors.reserveCapacity(tensors.count + count)
    storages.reserveCapacity(storages.count + count)
    nodes.reserveCapacity(nodes.count + 2 * count)
  }

  /// Adds a node.
  ///
  /// - Throws: `limitExceeded` beyond ``Limits/graphNodes``.
  package mutating func add(_ node: Node) throws(FormatError) -> NodeID {
    guard nodes.count < Limits.graphNodes else {
      throw FormatError(
        .limitExceeded, "the checkpoint has more than \(Limits.graphNodes) Python objects")
    }
    nodes.append(node)
    return NodeID(index: nodes.count - 1)
  }

  /// Makes the root an empty dict.
  package mutating func addEmptyRoot() -> NodeID {
    nodes.append(.dict(.empty))
    root = NodeID(index: nodes.count - 1)
    return root
  }

  /// Replaces what a node is; every reference to it sees the change.
  package mutating func replace(_ id: NodeID, with node: Node) { nodes[Int(id.index)] = node }

  /// Adds a construction and the node that stands for it.
  ///
  /// - Throws: `limitExceeded` beyond ``Limits/graphNodes``.
  package mutating func add(_ object: ObjectNode) throws(FormatError) -> NodeID {
    objects.append(object)
    return try add(.object(ObjectID(index: Int32(objects.count - 1))))
  }

  /// Adds a construction and makes a node stand for it.
  package mutating func place(_ object: ObjectNode, at id: NodeID) {
    objects.append(object)
    replace(id, with: .object(ObjectID(index: Int32(objects.count - 1))))
  }

  /// Adds a tensor and makes its node stand for it.
  package mutating func add(_ tensor: Tensor) {
    tensors.append(tensor)
    replace(tensor.node, with: .tensor(TensorID(index: Int32(tensors.count - 1))))
  }

  /// Puts a tensor in the place of another.
  package mutating func replace(_ id: TensorID, with tensor: Tensor) {
    tensors[Int(id.index)] = tensor
  }

  /// Says where a file has a tensor's elements packed.
  package mutating func setPacked(_ region: FileRegion, of id: TensorID) {
    tensors[Int(id.index)].packed = region
  }

  /// Says what a storage that no file has in one piece consists of.
  package mutating func setBlocks(_ blocks: [ElementBlock], of id: StorageID) {
    storages[Int(id.index)].blocks = blocks
  }

  /// Changes whether autograd records operations on a tensor; other nodes have no such flag.
  package mutating func setRequiresGradient(_ flag: Bool, of node: NodeID) {
    guard case .tensor(let id) = self[node] else { return }
    tensors[Int(id.index)].requiresGradient = flag
  }

  /// Gives a tensor the construction that pickles spell it by.
  package mutating func setConstruction(_ object: ObjectNode, of id: TensorID) {
    objects.append(object)
    tensors[Int(id.index)].origin = .call(ObjectID(index: Int32(objects.count - 1)))
  }

  /// Changes the name that a storage has in its archive.
  package mutating func setKey(_ key: String, of id: StorageID) {
    storages[Int(id.index)].key = key
  }

  /// Adds a storage.
  package mutating func add(_ storage: Storage) -> StorageID {
    storages.append(storage)
    return StorageID(index: Int32(storages.count - 1))
  }

  /// Adds a str.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func addString(_ string: String) throws(FormatError) -> NodeID {
    try add(.string(addBytes(Array(string.utf8))))
  }

  /// Copies bytes into the arena.
  ///
  /// - Throws: `limitExceeded` when the arena would pass 4 GiB.
  package mutating func addBytes(_ bytes: Span<UInt8>) throws(FormatError) -> ByteRun {
    let start = text.count
    guard start + bytes.count <= Int(UInt32.max) else { throw Self.tooMuchText }
    for index in bytes.indices { text.append(bytes[index]) }
    return ByteRun(start: UInt32(start), count: UInt32(bytes.count))
  }

  /// The error for an arena that would pass 4 GiB.
  static var tooMuchText: FormatError {
    FormatError(.limitExceeded, "the checkpoint has more than 4 GiB of text and bytes")
  }

  /// Copies bytes into the arena.
  ///
  /// - Throws: `limitExceeded` when the arena would pass 4 GiB.
  package mutating func addBytes(_ bytes: [UInt8]) throws(FormatError) -> ByteRun {
    try addBytes(bytes.span)
  }

  /// Copies node identifiers into the arena as the children of a container.
  package mutating func addChildren(_ new: ArraySlice<NodeID>) -> NodeRun {
    let start = children.count
    children.append(contentsOf: new)
    return NodeRun(
      start: UInt32(start), count: UInt32(new.count), capacity: UInt32(new.count))
  }

  /// Adds children to the end of a container's run.
  ///
  /// A run at the end of the arena grows in place; another moves there with room to double, so
  /// that filling containers in turns stays linear.
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
      run.start = UInt32(children.count)
      run.capacity = UInt32(2 * count)
      children.append(contentsOf: old)
      children.append(contentsOf: new)
      children.append(
        contentsOf: repeatElement(Self.none, count: Int(run.capacity) - count))
    }
    run.count = UInt32(count)
  }

  /// Replaces the children of a run by fewer or as many.
  package mutating func shorten(_ run: inout NodeRun, to kept: [NodeID]) {
    children.replaceSubrange(run.range.prefix(kept.count), with: kept)
    run.count = UInt32(kept.count)
  }
}

// MARK: - Looking

extension TensorGraph {
  /// The text of a str node, with lone surrogates replaced, or `nil` for another node.
  public func string(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id] else { return nil }
    return String(decoding: self[run], as: UTF8.self)
  }

  /// The text of a str node that may be a name, or `nil` for another node and for longer texts than
  /// ``Limits/nameBytes``.
  package func name(_ id: NodeID) -> String? {
    guard case .string(let run) = self[id], run.count <= Limits.nameBytes else { return nil }
    return string(id)
  }

  /// The value of an int or bool node that fits 64 bits, or `nil` for another node.
  public func int(_ id: NodeID) -> Int? {
    switch self[id] {
    case .int(let value): value
    case .bool(let value): value ? 1 : 0
    default: nil
    }
  }

  /// The elements of a tuple node, or `nil` for another node.
  public func tuple(_ id: NodeID) -> ArraySlice<NodeID>? {
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
  package func isGlobal(_ id: NodeID, _ module: StaticString, _ name: StaticString) -> Bool {
    guard case .global(let moduleID, let nameID) = self[id] else { return false }
    return text(of: moduleID, equals: module) && text(of: nameID, equals: name)
  }

  /// Whether `id` is a str with exactly the text `expected`.
  package func text(of id: NodeID, equals expected: StaticString) -> Bool {
    guard case .string(let run) = self[id], Int(run.count) == expected.utf8CodeUnitCount else {
      return false
    }
    return self[run].elementsEqual(expected.description.utf8)
  }

  /// The dotted name of a global, or `nil` for another node.
  public func globalName(_ id: NodeID) -> String? {
    guard case .global(let module, let name) = self[id] else { return nil }
    return "\(string(module) ?? "?").\(string(name) ?? "?")"
  }
}

extension TensorGraph {
  /// The place of a node in the arena.
  package func index(of id: NodeID) -> Int { Int(id.index) }

  /// The place of a tensor in ``tensors``.
  public func index(of id: TensorID) -> Int { Int(id.index) }

  /// The place of a storage in ``storages``.
  public func index(of id: StorageID) -> Int { Int(id.index) }
}

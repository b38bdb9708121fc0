package import CkptBase
package import CkptGraph

/// Writes the pickle that CPython's C pickler would write for a graph, byte for byte.
///
/// It follows `Modules/_pickle.c` of CPython 3.8 to 3.13: the memo, the batches of 1000, the frames
/// of protocol 4, and the calls that protocols 2 and 3 use for bytes and sets. One pickler writes
/// one pickle.
package struct Pickler {
  let graph: TensorGraph
  let version: Int
  let strings: StringIdentity
  var output: PickleOutput
  /// The pending tasks, the next one last.
  ///
  /// The walk keeps its own stack, so deep nesting costs no call stack.
  var tasks: [Task] = []
  /// The memo numbers of the objects written so far.
  private var memo: PickledNumbers
  var memoizedTexts: [MemoText: Int] = [:]
  /// The modules whose names were written from nodes of the graph.
  var namedModules: Set<ExactString> = []
  var memoCount = 0
  /// The sets that are being written as calls of `set`, and have no number yet.
  var openSets: Set<NodeID> = []

  /// A rule for when CPython treats two strs as one object.
  package enum StringIdentity: Sendable {
    /// As the graph says: for the pickle of objects as their program made them.
    case asWritten
    /// As in objects that were loaded from a pickle and are pickled again. CPython also shares all
    /// strs of one Latin-1 character, and all empty ones. The strs in `except` are not shared,
    /// because the saving program makes them.
    case asLoaded(except: Set<NodeID> = [])

    /// Whether the objects have been loaded from a pickle.
    var areLoaded: Bool { if case .asLoaded = self { true } else { false } }
  }

  /// An object that is one in CPython although a graph can hold it several times.
  enum MemoText: Hashable {
    /// A str of at most one Latin-1 character, as UTF-8.
    case character([UInt8])
    /// A class or function.
    case global(module: ExactString, name: ExactString)
    /// A module name or a str constant of the interpreter.
    case interned(ExactString)
  }

  /// One step of the walk.
  enum Task {
    /// Save a node inside another object.
    case save(NodeID)
    /// Save the str with the module name of a global.
    case saveModule(NodeID)
    /// Write an opcode without an operand.
    case emit(Opcode)
    /// Number the object that was just written.
    case memoize(NodeID)
    /// Number the tuple, or drop its items if it got its number meanwhile (recursion).
    case endTuple(NodeID, count: Int)
    /// Do the same for the result of a call, then write the steps that follow the call.
    case endCall(NodeID, ObjectID)
    /// Put the list that was just written into a tuple and make a set of it.
    case endListCall(NodeID)
    /// Write the next batch of a container's children.
    case batch(NodeRun, next: Int, Batch)
  }

  /// Creates a pickler for `graph`.
  init(graph: TensorGraph, protocol version: Int, strings: StringIdentity) {
    self.graph = graph
    self.version = version
    self.strings = strings
    memo = PickledNumbers(nodeCount: graph.nodeCount)
    output = PickleOutput(version: version)
  }

  /// Returns the pickle of `root`.
  ///
  /// - Throws: `unsupported` for an object that the protocol has no opcode for.
  package static func pickle(
    _ root: NodeID, of graph: TensorGraph, protocol version: Int,
    strings: StringIdentity = .asWritten
  ) throws(CheckpointError) -> [UInt8] {
    var pickler = Pickler(graph: graph, protocol: version, strings: strings)
    try pickler.save(root)
    return pickler.output.finish()
  }

  /// Returns the pickle of a tuple of keys and a flag.
  ///
  /// OLMo names a tensor so after it loaded the keys from a pickle.
  ///
  /// - Throws: `unsupported` for a key that the protocol has no opcode for.
  package static func pickle(
    keys: [PathComponent], flag: Bool, of graph: TensorGraph, protocol version: Int
  ) throws(CheckpointError) -> [UInt8] {
    var pickler = Pickler(graph: graph, protocol: version, strings: .asLoaded())
    if keys.count > 3 { pickler.emit(.mark) }
    for key in keys {
      pickler.output.startObject()
      switch key {
      case .key(let id): try pickler.save(id)
      case .index(let index): pickler.saveInt(index)
      case .attribute(let name): pickler.saveInterned(name)
      }
    }
    pickler.emitTuple(count: keys.count)
    if !keys.isEmpty { pickler.memoizeFresh() }
    pickler.output.startObject()
    pickler.emit(flag ? .newTrue : .newFalse)
    pickler.emit(.tuple2)
    pickler.memoizeFresh()
    return pickler.output.finish()
  }

  private mutating func save(_ root: NodeID) throws(CheckpointError) {
    tasks.append(.save(root))
    while let task = tasks.popLast() {
      switch task {
      case .save(let id): try start(id)
      case .saveModule(let id): saveModule(id)
      case .emit(let opcode): emit(opcode)
      case .memoize(let id): memoize(id)
      case .endTuple(let id, let count): endTuple(id, count: count)
      case .endCall(let id, let object): endCall(id, graph[object])
      case .endListCall(let id):
        openSets.remove(id)
        emit(.tuple1)
        memoizeFresh()
        emit(.reduce)
        memoize(id)
      case .batch(let run, let next, let batch): writeBatch(run, next: next, batch)
      }
    }
  }

  /// Writes a node, or schedules its parts.
  private mutating func start(_ id: NodeID) throws(CheckpointError) {
    output.startObject()
    if recall(id) { return }
    switch graph[id] {
    case .none: emit(.none)
    case .bool(let value): emit(value ? .newTrue : .newFalse)
    case .int(let value): saveInt(value)
    case .largeInt(let run): saveLong(graph[run])
    case .float(let value):
      emit(.binFloat)
      output.write(bigEndian: value.bitPattern)
    case .string(let run): saveString(id, run)
    case .bytes(let run): saveBytes(id, run)
    case .byteArray(let run): saveByteArray(id, run)
    case .tuple(let run): startTuple(id, run)
    case .list(let run):
      emit(.emptyList)
      memoize(id)
      tasks.append(.batch(run, next: 0, .list))
    case .dict(let run):
      emit(.emptyDict)
      memoize(id)
      tasks.append(.batch(run, next: 0, .dict))
    case .set(let run): try startSet(id, run)
    case .frozenSet(let run): try startFrozenSet(id, run)
    case .global(let module, let name): try startGlobal(id, module: module, name: name)
    case .persistent(let value):
      schedule(.save(value), .emit(.binPersistentID))
    case .object(let object): try startObject(id, object)
    case .tensor(let tensor):
      switch graph.tensors[graph.index(of: tensor)].origin {
      case .call(let object): try startObject(id, object)
      case .storage(let value): schedule(.save(value), .emit(.binPersistentID))
      case .plain:
        throw CheckpointError(.unsupported, "a tensor without a construction cannot be pickled")
      }
    }
  }

  /// Schedules tasks to run next, in this order.
  mutating func schedule(_ first: Task, _ second: Task) {
    tasks.append(second)
    tasks.append(first)
  }

  mutating func emit(_ opcode: Opcode) { output.write(opcode.rawValue) }
}

/// The memo: the objects written so far, and their numbers.
extension Pickler {
  /// Writes a reference to an object that has a number.
  ///
  /// Returns whether it has one.
  mutating func recall(_ id: NodeID) -> Bool {
    if let index = memo.number(of: id) {
      output.write(reference: index)
      return true
    }
    guard let text = memoText(of: id) else { return false }
    return recall(text)
  }

  /// Writes a reference to an object that is known by its text.
  ///
  /// Returns whether it has a number.
  mutating func recall(_ text: MemoText) -> Bool {
    guard let index = memoizedTexts[text] else { return false }
    output.write(reference: index)
    return true
  }

  /// Numbers the object that was just written.
  mutating func memoize(_ id: NodeID) {
    memo.set(memoCount, of: id)
    if let text = memoText(of: id) { memoizedTexts[text] = memoCount }
    memoizeFresh()
  }

  /// Numbers the object that was just written and is known by its text.
  mutating func memoize(_ text: MemoText) {
    memoizedTexts[text] = memoCount
    memoizeFresh()
  }

  /// Numbers the object that was just written and that nothing refers to.
  mutating func memoizeFresh() {
    if version >= 4 {
      emit(.memoize)
    } else if memoCount < 256 {
      emit(.binPut)
      output.write(UInt8(memoCount))
    } else {
      emit(.longBinPut)
      output.write(integer: UInt32(memoCount))
    }
    memoCount += 1
  }

  /// The text that identifies a node with equal nodes, or `nil`.
  private func memoText(of id: NodeID) -> MemoText? {
    switch graph[id] {
    case .string(let run):
      guard case .asLoaded(let others) = strings, !others.contains(id) else { return nil }
      let bytes = graph[run]
      // In UTF-8 the characters from 0x80 to 0xff take two bytes, the first of them C2 or C3.
      let isLatin1Pair = bytes.count == 2 && (bytes.first == 0xc2 || bytes.first == 0xc3)
      return bytes.count <= 1 || isLatin1Pair ? .character(Array(bytes)) : nil
    case .global(let module, let name):
      return .global(
        module: ExactString(graph.string(module) ?? ""),
        name: ExactString(graph.string(name) ?? ""))
    default: return nil
    }
  }

  /// Gives a node the number of the object that it is one with.
  mutating func alias(_ id: NodeID, to index: Int) { memo.set(index, of: id) }

  /// Whether a node has a number already, because it contains itself.
  func isMemoized(_ id: NodeID) -> Bool { memo.number(of: id) != nil }

  /// Numbers a tuple after its items were written.
  mutating func endTuple(_ id: NodeID, count: Int) {
    guard isMemoized(id) else {
      emitTuple(count: count)
      return memoize(id)
    }
    // The tuple contains itself through a list or dict and was written there: drop its items.
    if count <= 3 {
      for _ in 0..<count { emit(.pop) }
    } else {
      emit(.popMark)
    }
    _ = recall(id)
  }

  /// Numbers the result of a call, then writes the steps that follow the call.
  mutating func endCall(_ id: NodeID, _ object: ObjectNode) {
    guard isMemoized(id) else {
      memoize(id)
      return scheduleContents(of: object)
    }
    // The arguments of the call contain its result, which was written there: drop this one.
    emit(.pop)
    _ = recall(id)
  }
}

/// The numbers of the nodes of a pickle.
///
/// Once many nodes have one, a table of all nodes holds them.
private struct PickledNumbers {
  private var sparse: [NodeID: Int] = [:]
  /// The number of each node by its index; negative for a node without one.
  private var dense: [Int32] = []
  private let nodeCount: Int

  /// Creates a table for `nodeCount` nodes without numbers.
  init(nodeCount: Int) { self.nodeCount = nodeCount }

  func number(of id: NodeID) -> Int? {
    guard !dense.isEmpty else { return sparse[id] }
    let number = dense[Int(id.index)]
    return number < 0 ? nil : Int(number)
  }

  mutating func set(_ number: Int, of id: NodeID) {
    guard dense.isEmpty else {
      dense[Int(id.index)] = Int32(truncatingIfNeeded: number)
      return
    }
    sparse[id] = number
    guard 32 * sparse.count > nodeCount else { return }
    dense = [Int32](repeating: -1, count: nodeCount)
    for (id, number) in sparse { dense[Int(id.index)] = Int32(truncatingIfNeeded: number) }
    sparse = [:]
  }
}

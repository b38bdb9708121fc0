package import CkptBase
package import CkptGraph

/// Writes the pickle that CPython's C pickler would write for a graph, byte for byte.
///
/// Follows `Modules/_pickle.c` of CPython 3.8 to 3.13: what is memoized and when, the batches of
/// 1000, the frames of protocol 4, and the calls that protocols 2 and 3 use for bytes and sets.
/// One pickler writes one pickle.
package struct Pickler {
  let graph: TensorGraph
  let version: Int
  let strings: StringIdentity
  var output: PickleOutput
  /// What is left to do, last first: the walk keeps its own stack however deep the object nests.
  var tasks: [Task] = []
  /// The numbers of the objects that have been written.
  private var memo: PickledNumbers
  var memoizedTexts: [MemoText: Int] = [:]
  /// The modules whose names nodes of the graph have been written for.
  var namedModules: Set<ExactString> = []
  var memoCount = 0

  /// Which strs CPython takes for one object.
  package enum StringIdentity: Sendable {
    /// Those the graph says are one: the pickle of objects as their program made them.
    case asWritten
    /// Besides, all strs of one Latin-1 character, and all empty ones: what CPython makes of
    /// strs when it loads a pickle, before it pickles them again. Not among them are the strs
    /// `except`, which the saving program makes itself.
    case asLoaded(except: Set<NodeID> = [])

    /// Whether the objects have been loaded from a pickle.
    var areLoaded: Bool { if case .asLoaded = self { true } else { false } }
  }

  /// Objects that are one in CPython although a graph may hold them several times.
  enum MemoText: Hashable {
    /// A str of no or one Latin-1 character, as UTF-8.
    case character([UInt8])
    /// A class or function.
    case global(module: ExactString, name: ExactString)
    /// A module name or a str constant of the interpreter.
    case interned(ExactString)
  }

  /// One step of the walk.
  enum Task {
    /// Save a node as a member of something.
    case save(NodeID)
    /// Save the str that names a global's module.
    case saveModule(NodeID)
    /// Write an operation without an operand.
    case emit(Opcode)
    /// Give the object that was just written its number.
    case memoize(NodeID)
    /// Drop what was written if the object got its number meanwhile (recursion), else number it.
    case endTuple(NodeID, count: Int)
    /// The same for the result of a call, and go on with what is done to the object.
    case endCall(NodeID, ObjectID)
    /// Wrap the list just written into a tuple and make a set of it.
    case endListCall(NodeID)
    /// Write the next batch of a container's children.
    case batch(NodeRun, next: Int, Batch)
  }

  /// A pickler for `graph`.
  init(graph: TensorGraph, protocol version: Int, strings: StringIdentity) {
    self.graph = graph
    self.version = version
    self.strings = strings
    memo = PickledNumbers(nodeCount: graph.nodeCount)
    output = PickleOutput(version: version)
  }

  /// The pickle of `root`.
  ///
  /// - Throws: `unsupported` for an object that the protocol has no operation for.
  package static func pickle(
    _ root: NodeID, of graph: TensorGraph, protocol version: Int,
    strings: StringIdentity = .asWritten
  ) throws(CheckpointError) -> [UInt8] {
    var pickler = Pickler(graph: graph, protocol: version, strings: strings)
    try pickler.save(root)
    return pickler.output.finish()
  }

  /// The pickle of a pair of a tuple of keys and a flag: how OLMo names a tensor after it loaded
  /// the keys from a pickle.
  ///
  /// - Throws: `unsupported` for a key that the protocol has no operation for.
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
        emit(.tuple1)
        memoizeFresh()
        emit(.reduce)
        memoize(id)
      case .batch(let run, let next, let batch): writeBatch(run, next: next, batch)
      }
    }
  }

  /// Writes a node, or schedules the parts of one that has any.
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
    case .set(let run): startSet(id, run)
    case .frozenSet(let run): startFrozenSet(id, run)
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

/// The memo: which objects have been written, and their numbers.
extension Pickler {
  /// Writes a reference to an object that has a number; returns whether it has.
  mutating func recall(_ id: NodeID) -> Bool {
    if let index = memo.number(of: id) {
      emitGet(index)
      return true
    }
    guard let text = memoText(of: id) else { return false }
    return recall(text)
  }

  /// Writes a reference to an object known by its text; returns whether it has a number.
  mutating func recall(_ text: MemoText) -> Bool {
    guard let index = memoizedTexts[text] else { return false }
    emitGet(index)
    return true
  }

  /// Numbers the object just written.
  mutating func memoize(_ id: NodeID) {
    memo.set(memoCount, of: id)
    if let text = memoText(of: id) { memoizedTexts[text] = memoCount }
    memoizeFresh()
  }

  /// Numbers an object just written that is known by its text.
  mutating func memoize(_ text: MemoText) {
    memoizedTexts[text] = memoCount
    memoizeFresh()
  }

  /// Numbers an object just written that nothing can refer to.
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

  private mutating func emitGet(_ index: Int) {
    if index < 256 {
      emit(.binGet)
      output.write(UInt8(index))
    } else {
      emit(.longBinGet)
      output.write(integer: UInt32(index))
    }
  }

  /// What makes a node one with other nodes.
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

  /// Lets a node share the number of an object that is one with it.
  mutating func alias(_ id: NodeID, to index: Int) { memo.set(index, of: id) }

  /// Whether a node already has a number: it was met inside of itself.
  func isMemoized(_ id: NodeID) -> Bool { memo.number(of: id) != nil }

  /// Numbers a tuple whose items have been written.
  mutating func endTuple(_ id: NodeID, count: Int) {
    guard isMemoized(id) else {
      emitTuple(count: count)
      return memoize(id)
    }
    // The tuple contains itself through a list or dict and was written there: take back its items.
    if count <= 3 {
      for _ in 0..<count { emit(.pop) }
    } else {
      emit(.popMark)
    }
    _ = recall(id)
  }

  /// Numbers the result of a call that has been written, and goes on with what is done to it.
  mutating func endCall(_ id: NodeID, _ object: ObjectNode) {
    guard isMemoized(id) else {
      memoize(id)
      return scheduleContents(of: object)
    }
    // The call's arguments contain its result, which was written there: take this one back.
    emit(.pop)
    _ = recall(id)
  }
}

/// The numbers that a pickle gives to nodes: in a table of all nodes once many have one.
private struct PickledNumbers {
  private var sparse: [NodeID: Int] = [:]
  /// By the places of the nodes; negative for those without a number.
  private var dense: [Int32] = []
  private let nodeCount: Int

  /// No numbers yet for any of `nodeCount` nodes.
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

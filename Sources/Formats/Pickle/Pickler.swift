package import Bytes
package import Graph

/// Writes the pickle that CPython's C pickler would write for a graph, byte for byte.
///
/// Follows `Modules/_pickle.c` of CPython 3.8 to 3.13: what is memoised and when, the batches of
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
  var memo: [NodeID: Int] = [:]
  var memoisedTexts: [MemoText: Int] = [:]
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
    /// Write these bytes.
    case write([UInt8])
    /// Give the object that was just written its number.
    case memoise(NodeID)
    /// Drop what was written if the object got its number meanwhile (recursion), else number it.
    case endTuple(NodeID, count: Int)
    /// The same for the result of a call, and go on with what is done to the object.
    case endCall(NodeID, ObjectNode)
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
    output = PickleOutput(version: version)
  }

  /// The pickle of `root`.
  ///
  /// - Throws: `unsupported` for an object that the protocol has no operation for.
  package static func pickle(
    _ root: NodeID, of graph: TensorGraph, protocol version: Int,
    strings: StringIdentity = .asWritten
  ) throws(FormatError) -> [UInt8] {
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
  ) throws(FormatError) -> [UInt8] {
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
    if !keys.isEmpty { pickler.memoiseFresh() }
    pickler.output.startObject()
    pickler.emit(flag ? .newTrue : .newFalse)
    pickler.emit(.tuple2)
    pickler.memoiseFresh()
    return pickler.output.finish()
  }

  private mutating func save(_ root: NodeID) throws(FormatError) {
    tasks.append(.save(root))
    while let task = tasks.popLast() {
      switch task {
      case .save(let id): try start(id)
      case .saveModule(let id): saveModule(id)
      case .write(let bytes): output.write(bytes)
      case .memoise(let id): memoise(id)
      case .endTuple(let id, let count): endTuple(id, count: count)
      case .endCall(let id, let object): endCall(id, object)
      case .endListCall(let id):
        emit(.tuple1)
        memoiseFresh()
        emit(.reduce)
        memoise(id)
      case .batch(let run, let next, let batch): writeBatch(run, next: next, batch)
      }
    }
  }

  /// Writes a node, or schedules the parts of one that has any.
  private mutating func start(_ id: NodeID) throws(FormatError) {
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
      memoise(id)
      tasks.append(.batch(run, next: 0, .list))
    case .dict(let run):
      emit(.emptyDict)
      memoise(id)
      tasks.append(.batch(run, next: 0, .dict))
    case .set(let run): startSet(id, run)
    case .frozenSet(let run): startFrozenSet(id, run)
    case .global(let module, let name): try startGlobal(id, module: module, name: name)
    case .persistent(let value):
      schedule(.save(value), .write([Opcode.binPersistentID.rawValue]))
    case .object(let object): try startObject(id, graph[object])
    case .tensor(let tensor):
      switch graph[tensor].origin {
      case .call(let object): try startObject(id, graph[object])
      case .storage(let value):
        schedule(.save(value), .write([Opcode.binPersistentID.rawValue]))
      case .plain:
        throw FormatError(.unsupported, "a tensor without a construction cannot be pickled")
      }
    }
  }

  /// Schedules tasks to run next, in this order.
  mutating func schedule(_ next: Task...) { tasks += next.reversed() }

  mutating func emit(_ opcode: Opcode) { output.write(opcode.rawValue) }
}

package import CkptBase
package import CkptGraph

/// A pickle machine that builds nodes and has no way to call anything.
///
/// It runs the programs of protocols 0 to 5 (CPython `Lib/pickletools.py`, `Modules/_pickle.c`)
/// with the same stack, marks and memo. Where Python imports, it records a name and asks
/// ``GlobalPolicy``. Where Python calls, it records the call.
///
/// It can read several pickles into one graph: each ``load(_:)`` starts with an empty stack and
/// memo.
package struct Unpickler: ~Copyable {
  /// The treatment of globals that can run code.
  package enum UnsafeGlobals: Sendable {
    /// Refuse the pickle.
    case refuse
    /// Replace the global, and every object made with it, by `None`.
    case drop
    /// Keep its name, and accept everything else that Python would run. ``PickleScan`` reports it.
    case report
  }

  /// The graph under construction.
  package var graph: TensorGraph
  /// The highest protocol that a PROTO opcode of the last pickle named.
  package private(set) var pickleProtocol = 0
  /// The values that were replaced by `None` because they can run code.
  package internal(set) var dropped = DroppedValues()

  let unsafeGlobals: UnsafeGlobals
  /// The protocol of the last PROTO opcode.
  ///
  /// Below protocol 3 names are Python 2 names.
  private(set) var namingProtocol = 0
  var stack: [NodeID] = []
  var marks: [Int] = []
  var memo = Memo()
  /// The nodes that replaced dropped globals and the objects made with them.
  var droppedNodes: Set<NodeID> = []
  /// The calls that were popped from the stack without being used.
  var poppedCalls: [NodeID] = []
  /// Whether items were added to a set, as pickles from protocol 4 on do.
  var fillsSets = false
  /// Lists, strs and bytes that became a plain value.
  var spent: Set<NodeID> = []
  /// The module names of GLOBAL opcodes.
  ///
  /// CPython interns them, so equal ones are one object.
  var moduleNames: [ExactString: NodeID] = [:]
  /// The nodes of globals by the two strs that name them.
  ///
  /// Each pair is judged once, however often a pickle refers to the strs.
  var namedGlobals: [GlobalName: NodeID] = [:]
  /// The length of all names judged so far, in bytes.
  var judgedByteCount = 0
  /// The end of the current frame in the reader; the largest number outside of frames.
  var frameEnd = Int.max
  /// Whether all bytes of the current frame exist.
  var isFrameWhole = true
  /// The number of bytes that follow those of the reader in their file.
  var followingByteCount = 0
  /// Whether the pickle crosses the end of a frame, which only a scan goes on from.
  var crossesFrame = false
  /// The numbers of memo entries that do not fit 64 bits, and those that stand for them.
  var largeMemoIndices: [[UInt8]: Int] = [:]
  /// Globals that the pickle changes: their attributes or items.
  var changedGlobals: [NodeID] = []

  /// The two strs that name a global.
  struct GlobalName: Hashable {
    var module: NodeID
    var name: NodeID
  }

  /// Creates a machine that adds to `graph`.
  package init(graph: consuming TensorGraph = TensorGraph(), unsafeGlobals: UnsafeGlobals = .refuse)
  {
    self.graph = graph
    self.unsafeGlobals = unsafeGlobals
  }

  /// Ends reading and returns the graph.
  package consuming func finish() -> TensorGraph { graph }

  /// Reads one pickle up to and including its STOP and returns its object.
  ///
  /// - Throws: `malformed` and `truncated` for a broken program, `forbidden` for a dangerous global,
  ///   `unsupported` for out-of-band buffers and extension codes, `limitExceeded` for too many nodes.
  package mutating func load(_ reader: inout ByteReader) throws(CheckpointError) -> NodeID {
    begin(byteCount: reader.remaining)
    let firstNode = graph.nodeCount
    while true {
      let offset = reader.offset
      do throws(CheckpointError) {
        let code = try reader.readInteger(as: UInt8.self)
        guard let opcode = Opcode(rawValue: code) else {
          throw CheckpointError(
            .malformed, "0x\(String(code, radix: 16)) is not a pickle opcode",
            remedy: "the file is damaged, or this is not a pickle")
        }
        if opcode == .stop {
          try requireEndOfFrame(at: reader.position)
          break
        }
        try execute(opcode, &reader)
      } catch {
        var error = error
        if error.offset == nil { error.offset = offset }
        throw error
      }
    }
    guard stack.count > (marks.last ?? 0), let root = stack.popLast() else {
      throw CheckpointError(.malformed, "the pickle ends without an object", at: reader.offset - 1)
    }
    do throws(CheckpointError) {
      if fillsSets, pickleProtocol < 4 { try graph.requireOrder(fillsSetsLater: false) }
      try graph.unifyEqualKeys(from: firstNode)
      try graph.requireFewLongInts(from: firstNode)
    } catch {
      var error = error
      error.offset = reader.offset - 1
      throw error
    }
    collectDiscarded(root: root)
    return root
  }

  /// Clears the stack, marks and memo of the previous program.
  mutating func begin(byteCount: Int) {
    stack.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    memo = Memo(expectedBytes: byteCount)
    pickleProtocol = 0
    namingProtocol = 0
    poppedCalls = []
    fillsSets = false
    spent = []
    namedGlobals = [:]
    judgedByteCount = 0
    frameEnd = .max
    crossesFrame = false
    largeMemoIndices = [:]
  }

  /// Executes one opcode other than STOP.
  mutating func execute(
    _ opcode: Opcode, _ reader: inout ByteReader
  ) throws(CheckpointError) {
    switch opcode {
    case .proto: try startProtocol(reader.readInteger(as: UInt8.self))
    case .frame: try enterFrame(&reader)
    case .mark: marks.append(stack.count)
    case .pop: try dropTop()
    case .popMark: for id in try popToMark() { noteIfCall(id) }
    case .dup: push(try occurrence(of: top()))
    case .stop: break

    case .get: push(try recall(readMemoIndex(&reader)))
    case .binGet: push(try recall(Int(reader.readInteger(as: UInt8.self))))
    case .longBinGet: push(try recall(Int(reader.readInteger(as: UInt32.self))))
    case .put: memo.put(try top(), at: try readMemoIndex(&reader))
    case .binPut: memo.put(try top(), at: Int(try reader.readInteger(as: UInt8.self)))
    case .longBinPut: memo.put(try top(), at: Int(try reader.readInteger(as: UInt32.self)))
    case .memoize: memo.append(try top())

    case .none: push(TensorGraph.none)
    case .newTrue: push(TensorGraph.true)
    case .newFalse: push(TensorGraph.false)
    case .binInt: try pushInt(Int(reader.readInteger(as: Int32.self)))
    case .binInt1: try pushInt(Int(reader.readInteger(as: UInt8.self)))
    case .binInt2: try pushInt(Int(reader.readInteger(as: UInt16.self)))
    case .long1: try pushLong(byteCount: Int(reader.readInteger(as: UInt8.self)), &reader)
    case .long4: try pushLong(byteCount: Int(reader.readInteger(as: Int32.self)), &reader)
    case .binFloat: try pushBinaryFloat(&reader)
    case .int: try pushTextInt(&reader)
    case .long: try pushTextLong(&reader)
    case .float: try pushTextFloat(&reader)

    case .shortBinUnicode: try pushText(Int(reader.readInteger(as: UInt8.self)), &reader)
    case .binUnicode: try pushText(Int(reader.readInteger(as: UInt32.self)), &reader)
    case .binUnicode8: try pushText(readLength(&reader), &reader)
    case .unicode: try pushRawUnicode(&reader)
    case .shortBinBytes: try pushBytes(Int(reader.readInteger(as: UInt8.self)), &reader)
    case .binBytes: try pushBytes(Int(reader.readInteger(as: UInt32.self)), &reader)
    case .binBytes8: try pushBytes(readLength(&reader), &reader)
    case .byteArray8: try pushByteArray(readLength(&reader), &reader)
    case .string: try pushQuotedString(&reader)
    case .binString: try pushOldString(Int(reader.readInteger(as: Int32.self)), &reader)
    case .shortBinString: try pushOldString(Int(reader.readInteger(as: UInt8.self)), &reader)

    case .emptyTuple: push(TensorGraph.emptyTuple)
    case .tuple1: try pushTuple(count: 1)
    case .tuple2: try pushTuple(count: 2)
    case .tuple3: try pushTuple(count: 3)
    case .tuple: try pushTuple(above: popMark())
    case .emptyList: push(try graph.add(.list(.empty)))
    case .list: push(try graph.add(.list(takeChildren(above: popMark()))))
    case .append: try append([pop()])
    case .appends: try append(popToMark())
    case .emptyDict: push(try graph.add(.dict(.empty)))
    case .dict: try pushDict(of: popToMark())
    case .setItem: try setItem()
    case .setItems: try setItems(popToMark())
    case .emptySet: push(try graph.add(.set(.empty)))
    case .addItems: try addItems(popToMark())
    case .frozenSet: push(try graph.add(.frozenSet(takeChildren(above: popMark()))))

    case .global: try pushGlobal(&reader)
    case .stackGlobal: try pushStackGlobal()
    case .reduce: try reduce()
    case .newObject: try newObject()
    case .newObjectEx: try newObjectEx()
    case .instance: try pushInstance(&reader)
    case .object: try pushObject()
    case .build: try build()
    case .persistentID: try pushTextPersistentID(&reader)
    case .binPersistentID: try pushPersistent(pop())

    case .extension1: try pushExtension(Int(reader.readInteger(as: UInt8.self)))
    case .extension2: try pushExtension(Int(reader.readInteger(as: UInt16.self)))
    case .extension4: try pushExtension(Int(reader.readInteger(as: Int32.self)))
    case .nextBuffer: try pushBuffer()
    case .readOnlyBuffer: try makeReadOnly()
    }
    if reader.position >= frameEnd { try leaveFrame(at: reader.position) }
  }

  private mutating func startProtocol(_ version: UInt8) throws(CheckpointError) {
    guard version <= 5 else {
      throw CheckpointError(
        .unsupported, "pickle protocol \(version) is unknown; the highest known is 5",
        remedy: "this is not a pickle, or a newer Python wrote it")
    }
    pickleProtocol = max(pickleProtocol, Int(version))
    namingProtocol = Int(version)
  }

  func readLength(_ reader: inout ByteReader) throws(CheckpointError) -> Int {
    try Int(reader.readInteger(as: UInt64.self), orThrow: "a length")
  }
}

/// The stack with its marks, and the memo.
extension Unpickler {
  @inline(__always)
  mutating func push(_ id: NodeID) { stack.append(id) }

  func top() throws(CheckpointError) -> NodeID {
    guard stack.count > (marks.last ?? 0), let id = stack.last else { throw Self.underflow }
    return id
  }

  mutating func pop() throws(CheckpointError) -> NodeID {
    let id = try top()
    stack.removeLast()
    return id
  }

  /// Removes the topmost mark.
  ///
  /// Returns the height of the stack at the mark.
  mutating func popMark() throws(CheckpointError) -> Int {
    guard let mark = marks.popLast() else {
      throw CheckpointError(.malformed, "the opcode needs a mark, but the stack has none")
    }
    return mark
  }

  /// Makes the objects above a height of the stack the children of a new container.
  mutating func takeChildren(above height: Int) -> NodeRun {
    let run = graph.addChildren(stack[height...])
    stack.removeLast(stack.count - height)
    return run
  }

  /// Pops everything above the topmost mark.
  mutating func popToMark() throws(CheckpointError) -> ArraySlice<NodeID> {
    let mark = try popMark()
    let taken = Array(stack[mark...])
    stack.removeLast(stack.count - mark)
    return taken[...]
  }

  /// Returns the memo entry with a number.
  mutating func recall(_ index: Int) throws(CheckpointError) -> NodeID {
    guard let id = memo.get(index) else {
      throw CheckpointError(.malformed, "memo entry \(index) is read before it is written")
    }
    return try occurrence(of: id)
  }

  /// Returns the node for another occurrence of an object.
  ///
  /// It is the same node, except for a persistent id: that has no identity, and can be part of a
  /// tensor in one place and stand alone in another.
  mutating func occurrence(of id: NodeID) throws(CheckpointError) -> NodeID {
    guard case .persistent(let value) = graph[id] else { return id }
    return try graph.add(.persistent(value))
  }

  /// Drops the topmost mark or value.
  mutating func dropTop() throws(CheckpointError) {
    if let mark = marks.last, mark == stack.count {
      marks.removeLast()
    } else {
      noteIfCall(try pop())
    }
  }

  /// Records a call that was popped from the stack without being used.
  mutating func noteIfCall(_ id: NodeID) {
    if case .object = graph[id] { poppedCalls.append(id) }
  }

  /// Collects the calls that were popped or left on the stack and that nothing refers to.
  mutating func collectDiscarded(root: NodeID) {
    for id in stack { noteIfCall(id) }
    guard !poppedCalls.isEmpty else { return }
    var known = Set(graph.reachable(from: [root]))
    known.formUnion(graph.discarded)
    for id in poppedCalls where known.insert(id).inserted { graph.discarded.append(id) }
  }

  static var underflow: CheckpointError {
    CheckpointError(.malformed, "the opcode takes more from the stack than it holds")
  }
}

/// The memo: the numbered objects of a pickle in progress.
///
/// Picklers write dense numbers; attackers can write any. Numbers beyond the length of the pickle
/// go to a dictionary.
struct Memo {
  /// The entry of each number; negative for none.
  private var dense: [Int32] = []
  private var sparse: [Int: NodeID] = [:]
  private var count = 0
  private let denseLimit: Int

  init(expectedBytes: Int = 0) { denseLimit = expectedBytes }

  func get(_ index: Int) -> NodeID? {
    guard index >= 0, index < dense.count else { return sparse[index] }
    return dense[index] < 0 ? nil : NodeID(index: Int(dense[index]))
  }

  mutating func put(_ id: NodeID, at index: Int) {
    if index == dense.count, index < denseLimit {
      dense.append(id.index)
      count += 1
      return
    }
    if get(index) == nil { count += 1 }
    guard index >= 0, index < denseLimit else {
      sparse[index] = id
      return
    }
    while dense.count <= index { dense.append(-1) }
    dense[index] = id.index
  }

  /// Adds `id` under the next number (MEMOIZE).
  mutating func append(_ id: NodeID) { put(id, at: count) }
}

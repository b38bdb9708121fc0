internal import CkptBase
internal import CkptGraph
internal import CkptPickle

/// Checks that a pickle can describe the graph of a skeleton, and applies the policy for globals.
///
/// A pickle names only objects that exist already, so no object is an argument of its own call. A
/// pickle with anything that can run code is refused.
struct SkeletonValidator {
  /// The values that were replaced by `None` because they can run code.
  private(set) var droppedValues = DroppedValues()
  private var graph: TensorGraph
  private let dropsUnsafe: Bool
  /// The protocol of the pickles that the skeleton stands for.
  private let pickleProtocol: Int
  /// The nodes that replaced dropped globals and the objects made with them.
  private var dropped: Set<NodeID> = []
  /// The length of all names judged so far, in bytes.
  private var judgedByteCount = 0

  /// Creates a validator of `graph`, whose root is set.
  init(graph: consuming TensorGraph, protocol pickleProtocol: Int, dropsUnsafe: Bool) {
    self.graph = graph
    self.pickleProtocol = pickleProtocol
    self.dropsUnsafe = dropsUnsafe
  }

  consuming func finish() -> TensorGraph { graph }

  /// Validates all nodes.
  ///
  /// - Throws: `malformed` for objects that a pickle cannot describe, `forbidden` if one can run
  ///   code.
  mutating func judge() throws(CheckpointError) {
    try graph.requireOrder(fillsSetsLater: pickleProtocol >= 4)
    for index in 0..<graph.nodeCount { try judgeGlobal(NodeID(index: index)) }
    // The callable of a call is a global or a nested class, which is itself a call of `getattr`.
    var calls: [NodeID] = []
    for index in 0..<graph.nodeCount {
      if case .object = graph[NodeID(index: index)] { calls.append(NodeID(index: index)) }
    }
    for _ in 0..<2 {
      for id in calls { try judgeCall(id) }
    }
    try judgeSpellings()
    try graph.unifyEqualKeys(from: 0)
    try graph.requireFewLongInts(from: 0)
  }

  // MARK: Globals and calls

  private mutating func judgeGlobal(_ id: NodeID) throws(CheckpointError) {
    guard case .global(let module, let name) = graph[id] else { return }
    guard case .string = graph[module], case .string = graph[name] else {
      throw CheckpointError(.malformed, "the name of a global is not a str")
    }
    guard let module = graph.name(module), let name = graph.name(name) else {
      throw GlobalPolicy.tooLong
    }
    try judge(module, name, id)
  }

  private mutating func judge(
    _ module: String, _ name: String, _ id: NodeID
  ) throws(CheckpointError) {
    judgedByteCount += module.utf8.count + name.utf8.count
    guard judgedByteCount <= Limits.globalNameBytes + 2 * graph.textByteCount else {
      throw GlobalPolicy.tooMany
    }
    guard GlobalPolicy.verdict(module: module, name: name) == .dangerous else { return }
    try refuseOrDrop(id, GlobalPolicy.subject(module: module, name: name))
  }

  private mutating func refuseOrDrop(_ id: NodeID, _ what: String) throws(CheckpointError) {
    guard dropsUnsafe else { throw GlobalPolicy.refusal(of: what) }
    droppedValues.add(what)
    drop(id)
  }

  private mutating func judgeCall(_ id: NodeID) throws(CheckpointError) {
    guard case .object(let objectID) = graph[id] else { return }
    let object = graph[objectID]
    if dropped.contains(object.callable) { return drop(id) }
    guard graph.tuple(object.arguments) != nil else {
      throw CheckpointError(.malformed, "the arguments of a call are not a tuple")
    }
    if let keywords = object.keywords {
      guard case .dict = graph[keywords] else {
        throw CheckpointError(.malformed, "the keyword arguments of a call are not a dict")
      }
    }
    switch try graph.judgeCall(object.callable, object.arguments) {
    case .function: return
    case .nestedClass(let module, let name): try judge(module, name, id)
    case .refused(let what):
      let owner = graph.tuple(object.arguments)?.first
      if owner.map(dropped.contains) == true { drop(id) } else { try refuseOrDrop(id, what) }
    }
  }

  /// Checks that the str that spells a bytes object has the bytes of that object.
  private func judgeSpellings() throws(CheckpointError) {
    for (id, spelling) in graph.spellings {
      guard case .bytes(let bytes) = graph[id], bytes.count == 1,
        case .string(let text) = graph[spelling],
        let spelled = PythonText.latin1(graph[text]), spelled[...] == graph[bytes]
      else {
        throw CheckpointError(.malformed, "a bytes object does not match the str that spells it")
      }
    }
  }

  private mutating func drop(_ id: NodeID) {
    graph.replace(id, with: .none)
    dropped.insert(id)
  }
}

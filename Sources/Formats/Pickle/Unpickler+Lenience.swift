internal import CkptBase
internal import CkptGraph

/// Operations that Python objects accept and no pickler writes.
///
/// A reader refuses it. A scan goes on as Python would, since what follows would be run too
/// (CPython `Modules/_pickle.c` and `Lib/pickle.py`; what one of them takes is taken here).
extension Unpickler {
  /// A change of the object on top of the stack.
  enum Change {
    /// APPEND, APPENDS: `extend` or `append`.
    case append
    /// SETITEM, SETITEMS: `object[key] = value`.
    case setItems
    /// ADDITEMS: `add`.
    case add
    /// BUILD with a state.
    case build(NodeID)
  }

  /// Passes over a change that the graph has no place for: what a dropped global left behind takes
  /// everything, and a scan takes what Python does.
  ///
  /// - Throws: `error` for a change that is refused.
  mutating func passOver(
    _ change: Change, of target: NodeID, isEmpty: Bool,
    orThrow error: @autoclosure () -> CheckpointError
  ) throws(CheckpointError) {
    if droppedNodes.contains(target) { return }
    guard unsafeGlobals == .report, isEmpty || isTaken(change, by: target) else {
      throw error()
    }
    if case .global = graph[target] { changedGlobals.append(target) }
  }

  private func isTaken(_ change: Change, by target: NodeID) -> Bool {
    if isOfUnknownClass(target) { return true }
    switch change {
    case .append: if case .byteArray = graph[target] { return true }
    case .setItems:
      switch graph[target] {
      case .list, .byteArray: return true
      default: break
      }
    case .add: break
    case .build(let state): return isNoState(state)
    }
    return false
  }

  /// Whether a state, or a pair of a state and one for slots, changes nothing.
  private func isNoState(_ state: NodeID) -> Bool {
    guard case .tuple(let run) = graph[state], run.count == 2 else { return isFalse(state) }
    for item in graph[run] where !isFalse(item) { return false }
    return true
  }

  /// Whether Python's `if` may take an object for false.
  private func isFalse(_ id: NodeID) -> Bool {
    switch graph[id] {
    case .none: true
    case .bool(let value): !value
    case .int(let value): value == 0
    case .float(let value): value == 0
    case .string(let run), .bytes(let run), .byteArray(let run): run.count == 0
    case .tuple(let run), .list(let run), .dict(let run), .set(let run), .frozenSet(let run):
      run.count == 0
    default: isOfUnknownClass(id)
    }
  }

  /// Whether a node stands for an object of a class that is not known, which may take anything.
  private func isOfUnknownClass(_ id: NodeID) -> Bool {
    switch graph[id] {
    case .global, .object, .persistent: true
    default: false
    }
  }

  /// Whether a node is a str, or may be one to Python.
  ///
  /// Strings of Python 2 that are not UTF-8 are bytes here and a str to who asks for Latin-1.
  func mayBeString(_ id: NodeID) -> Bool {
    switch graph[id] {
    case .string, .bytes: true
    default: isOfUnknownClass(id)
    }
  }

  /// Whether a node is the arguments of a call: a tuple, and anything iterable to `Lib/pickle.py`.
  func mayBeArguments(_ id: NodeID) -> Bool {
    if case .tuple = graph[id] { return true }
    guard unsafeGlobals == .report else { return false }
    switch graph[id] {
    case .list, .dict, .set, .frozenSet, .string, .bytes, .byteArray: return true
    default: return isOfUnknownClass(id)
    }
  }

  /// Whether a node is the keyword arguments of a call: a dict, and any mapping to `Lib/pickle.py`.
  func mayBeDict(_ id: NodeID) -> Bool {
    if case .dict = graph[id] { return true }
    return unsafeGlobals == .report && isOfUnknownClass(id)
  }

  // MARK: Buffers

  mutating func pushBuffer() throws(CheckpointError) {
    guard unsafeGlobals == .report else { throw Self.outOfBand }
    push(try graph.add(.persistent(TensorGraph.none)))
  }

  mutating func makeReadOnly() throws(CheckpointError) {
    guard unsafeGlobals == .report else { throw Self.outOfBand }
    let buffer = try top()
    switch graph[buffer] {
    case .bytes, .byteArray, .global, .object, .persistent: return
    default: throw CheckpointError(.malformed, "what is made read-only has no buffer")
    }
  }

  private static var outOfBand: CheckpointError {
    CheckpointError(.unsupported, "the pickle needs out-of-band buffers, which are not in the file")
  }
}

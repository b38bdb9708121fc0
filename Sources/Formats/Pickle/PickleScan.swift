package import CkptBase
internal import CkptGraph

/// What a pickle would have run: everything it names and calls.
///
/// The machine is that of every reader, but it takes all that Python would take, and goes on behind
/// what neither takes: an operation that cannot be carried out is stepped over, so that what follows
/// it is seen as well. Nothing is run here either.
package struct PickleScan: Sendable {
  /// Bytes inside of a pickle that look like another one.
  package struct Nested: Sendable {
    /// The place of the operation that has the bytes.
    package var offset: Int
    /// The bytes.
    package var bytes: [UInt8]
    /// Whether they begin as pickles of protocol 2 and later do; others may be pickles by chance.
    package var hasProtocol: Bool
  }

  /// How many operations are stepped over before the rest is taken for no pickle at all.
  private static let faultLimit = 1000

  /// The globals, the worst first.
  package private(set) var globals: [GlobalUse] = []
  /// What cannot be carried out first, with its place: Python ends there.
  package private(set) var fault: CheckpointError?
  /// Values that look like pickles.
  package private(set) var nested: [Nested] = []
  /// Whether the program ends with STOP.
  package private(set) var isComplete = false
  /// How many bytes the program has, up to its STOP or to where it cannot be followed.
  package private(set) var byteCount = 0
  /// The places of PROTO operations behind the first one.
  package private(set) var laterProtocols: [Int] = []

  /// The worst verdict on a global.
  package var verdict: GlobalPolicy.Verdict { globals.first?.verdict ?? .known }

  /// Scans the pickle at the start of `bytes`, which lie at `base` of their file or entry.
  package init(_ bytes: Span<UInt8>, base: Int = 0) {
    var machine = Unpickler(unsafeGlobals: .report)
    machine.begin(byteCount: bytes.count)
    var notes = Notes()
    var reader = ByteReader(bytes, base: base)
    var faultCount = 0
    while faultCount < Self.faultLimit {
      let (start, offset) = (reader.position, reader.offset)
      do throws(CheckpointError) {
        let opcode = try Self.opcode(&reader)
        let state = machine.stackState
        let callable = opcode == .reduce ? machine.stack.dropLast().last : nil
        if opcode == .proto, offset > base { laterProtocols.append(offset) }
        if opcode == .stop {
          isComplete = true
          if machine.stack.isEmpty {
            throw CheckpointError(.malformed, "the pickle ends without an object")
          }
          break
        }
        do throws(CheckpointError) {
          try machine.execute(opcode, &reader)
        } catch {
          guard error.code != .limitExceeded else { throw error }
          if !Self.isTaken(opcode, machine, &notes) {
            faultCount += 1
            note(error, at: offset)
          }
          reader = ByteReader(bytes, base: base)
          try reader.skip(start + 1)
          try opcode.skipOperand(&reader)
          machine.settle(opcode, from: state)
        }
        notes.add(opcode, machine, offset, calling: callable)
        if let value = machine.pickleOnTop(after: opcode, offset) { nested.append(value) }
      } catch {
        note(error, at: offset)
        break
      }
    }
    byteCount = reader.position
    globals = GlobalCensus.uses(
      in: machine.finish(), mentions: notes.mentions, calls: notes.calls, states: notes.states,
      plainCalls: notes.plainCalls)
  }

  private static func opcode(_ reader: inout ByteReader) throws(CheckpointError) -> Opcode {
    let code = try reader.readInteger(as: UInt8.self)
    guard let opcode = Opcode(rawValue: code) else {
      throw CheckpointError(.malformed, "0x\(String(code, radix: 16)) is not a pickle operation")
    }
    return opcode
  }

  private mutating func note(_ error: CheckpointError, at offset: Int) {
    guard fault == nil else { return }
    var error = error
    error.offset = offset
    fault = error
  }

  /// Whether Python takes what this machine does not: a state for a class or module, or a second one.
  private static func isTaken(
    _ opcode: Opcode, _ machine: borrowing Unpickler, _ notes: inout Notes
  ) -> Bool {
    guard opcode == .build, let target = machine.stack.last else { return false }
    switch machine.graph[target] {
    case .global:
      notes.states.append(target)
      return true
    case .object: return true
    default: return false
    }
  }

  /// What the graph does not tell: places.
  private struct Notes {
    var mentions: [NodeID: GlobalCensus.Mentions] = [:]
    var calls: [GlobalCensus.CallOrigin] = []
    var states: [NodeID] = []
    /// The callables of calls that stand for plain values.
    var plainCalls: [NodeID] = []
    private var nodeCount = 0

    /// Notes the place of what an operation has made.
    mutating func add(
      _ opcode: Opcode, _ machine: borrowing Unpickler, _ offset: Int, calling callable: NodeID?
    ) {
      if let callable, calls.count == machine.graph.objects.count { plainCalls.append(callable) }
      for index in nodeCount..<machine.graph.nodeCount {
        let id = NodeID(index: index)
        if case .global = machine.graph[id] { mentions[id] = .init(offset: offset) }
      }
      // A global that is named by the same strs again is the same node.
      if opcode == .stackGlobal, nodeCount == machine.graph.nodeCount, let id = machine.stack.last {
        mentions[id]?.count += 1
      }
      nodeCount = machine.graph.nodeCount
      while calls.count < machine.graph.objects.count {
        calls.append(.init(opcode: opcode, offset: offset))
      }
    }
  }
}

// MARK: - The machine's stack

extension Unpickler {
  /// How high the stack is, and its marks.
  fileprivate struct StackState {
    var count: Int
    var marks: Int
    var lastMark: Int?
  }

  fileprivate var stackState: StackState {
    StackState(count: stack.count, marks: marks.count, lastMark: marks.last)
  }

  /// Leaves the stack as high as an operation would have left it that could not be carried out.
  fileprivate mutating func settle(_ opcode: Opcode, from state: StackState) {
    let (taking, gives) = opcode.effect
    let height: Int
    switch taking {
    case .objects(let count): height = max(state.lastMark ?? 0, state.count - count)
    case .toMark:
      height = state.lastMark ?? state.count
      if marks.count == state.marks { _ = marks.popLast() }
    }
    if stack.count > height { stack.removeSubrange(height...) }
    while stack.count < height + (gives ? 1 : 0) { stack.append(TensorGraph.none) }
  }

  /// The value that an operation has just put on the stack, if it looks like a pickle.
  fileprivate borrowing func pickleOnTop(after opcode: Opcode, _ offset: Int) -> PickleScan.Nested?
  {
    switch opcode {
    case .shortBinBytes, .binBytes, .binBytes8, .byteArray8, .shortBinString, .binString, .string,
      .shortBinUnicode, .binUnicode, .binUnicode8, .unicode, .reduce:
      break
    default: return nil
    }
    guard let top = stack.last else { return nil }
    switch graph[top] {
    case .bytes(let run), .byteArray(let run):
      let bytes = graph[run]
      let hasProtocol = PickleSignature.hasProtocol(bytes)
      guard hasProtocol || PickleSignature.mayBeText(bytes) else { return nil }
      return .init(offset: offset, bytes: Array(bytes), hasProtocol: hasProtocol)
    case .string(let run):
      // As protocols 0 to 2 spell bytes: a character for each.
      let text = graph[run]
      guard text.starts(with: [0xc2, 0x80]), let bytes = PythonText.latin1(text),
        PickleSignature.hasProtocol(bytes[...])
      else { return nil }
      return .init(offset: offset, bytes: bytes, hasProtocol: true)
    default: return nil
    }
  }
}

/// What bytes look like a pickle.
package enum PickleSignature {
  /// Whether bytes begin as pickles of protocol 2 and later do: PROTO, its number, an operation.
  package static func hasProtocol(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4, bytes[bytes.startIndex] == Opcode.proto.rawValue,
      bytes[bytes.startIndex + 1] <= 5
    else { return false }
    return Opcode(rawValue: bytes[bytes.startIndex + 2]) != nil
  }

  /// Whether bytes may be a pickle of protocol 0 or 1: they begin with an operation and end with
  /// STOP, perhaps before a line feed.
  package static func mayBeText(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4, let first = bytes.first, Opcode(rawValue: first) != nil else {
      return false
    }
    let end = bytes.suffix(2)
    return end.last == Opcode.stop.rawValue || end.elementsEqual([Opcode.stop.rawValue, 0x0a])
  }
}

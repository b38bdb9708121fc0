package import CkptBase
internal import CkptGraph

/// The globals that a pickle names and calls, found without running it.
///
/// The scan uses the machine of every reader, with two differences. It accepts everything that
/// Python accepts. It also steps over an opcode that cannot be executed, so that the opcodes after
/// it are seen too.
package struct PickleScan: Sendable {
  /// Bytes inside a pickle that look like another pickle.
  package struct Nested: Sendable {
    /// The offset of the opcode that holds the bytes.
    package var offset: Int
    /// The bytes.
    package var bytes: [UInt8]
    /// Whether they begin like pickles of protocol 2 and later.
    ///
    /// Others can look like pickles by chance.
    package var hasProtocol: Bool
  }

  /// The maximum number of opcodes to step over; bytes with more faults are no pickle.
  private static let faultLimit = 1000

  /// The globals, the most dangerous first.
  package private(set) var globals: [GlobalUse] = []
  /// The first fault, with its offset.
  ///
  /// Python stops there.
  package private(set) var fault: CheckpointError?
  /// Values that look like pickles.
  package private(set) var nested: [Nested] = []
  /// Whether the program ends with STOP.
  package private(set) var isComplete = false
  /// The length of the program in bytes: up to STOP, or to the opcode where the scan ends.
  package private(set) var byteCount = 0
  /// The offsets of all PROTO opcodes but the first.
  package private(set) var laterProtocols: [Int] = []

  /// The most dangerous verdict.
  package var verdict: GlobalPolicy.Verdict { globals.first?.verdict ?? .known }

  /// Scans the pickle at the start of `bytes`, which begin at offset `base` of their file or entry.
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

  /// Whether Python accepts a state that this machine refuses: one for a class or module, or a
  /// second one.
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

  /// The offsets and calls that the graph does not record.
  private struct Notes {
    var mentions: [NodeID: GlobalCensus.Mentions] = [:]
    var calls: [GlobalCensus.CallOrigin] = []
    var states: [NodeID] = []
    /// The callables of calls that became plain values.
    var plainCalls: [NodeID] = []
    private var nodeCount = 0

    /// Records the offset of the object that an opcode made.
    mutating func add(
      _ opcode: Opcode, _ machine: borrowing Unpickler, _ offset: Int, calling callable: NodeID?
    ) {
      if let callable, calls.count == machine.graph.objects.count { plainCalls.append(callable) }
      for index in nodeCount..<machine.graph.nodeCount {
        let id = NodeID(index: index)
        if case .global = machine.graph[id] { mentions[id] = .init(offset: offset) }
      }
      // The same two strs name the same global, so the graph has no new node.
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
  /// The height of the stack, and its marks.
  fileprivate struct StackState {
    var count: Int
    var marks: Int
    var lastMark: Int?
  }

  fileprivate var stackState: StackState {
    StackState(count: stack.count, marks: marks.count, lastMark: marks.last)
  }

  /// Leaves the stack at the height that a skipped opcode would have left.
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

  /// Returns the value that an opcode just pushed, if it looks like a pickle.
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
      // Protocols 0 to 2 spell bytes as text, one character for each byte.
      let text = graph[run]
      guard text.starts(with: [0xc2, 0x80]), let bytes = PythonText.latin1(text),
        PickleSignature.hasProtocol(bytes[...])
      else { return nil }
      return .init(offset: offset, bytes: bytes, hasProtocol: true)
    default: return nil
    }
  }
}

/// Tests whether bytes look like a pickle.
package enum PickleSignature {
  /// Whether bytes begin like a pickle of protocol 2 or later: PROTO, its number, an opcode.
  package static func hasProtocol(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4, bytes[bytes.startIndex] == Opcode.proto.rawValue,
      bytes[bytes.startIndex + 1] <= 5
    else { return false }
    return Opcode(rawValue: bytes[bytes.startIndex + 2]) != nil
  }

  /// Whether bytes can be a pickle of protocol 0 or 1: they begin with an opcode and end with STOP,
  /// or with STOP and a line feed.
  package static func mayBeText(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count >= 4, let first = bytes.first, Opcode(rawValue: first) != nil else {
      return false
    }
    let end = bytes.suffix(2)
    return end.last == Opcode.stop.rawValue || end.elementsEqual([Opcode.stop.rawValue, 0x0a])
  }
}

package import CkptBase
internal import CkptGraph

/// The globals that a pickle names and calls, found without running it.
///
/// The scan uses the machine of every reader, with two differences. It accepts everything that
/// Python accepts. Where the bytes are known to be a pickle, it also steps over an opcode at which
/// Python would stop, so that the opcodes after it are seen too.
package struct PickleScan: Sendable {
  /// Bytes inside a pickle that are another pickle, or an archive that may hold one.
  package struct Nested: Sendable {
    /// The offset of the opcode that holds the bytes.
    package var offset: Int
    /// The bytes.
    package var bytes: [UInt8]
  }

  /// The maximum number of opcodes to step over.
  private static let faultLimit = 1 << 20

  /// The globals, the most dangerous first.
  package private(set) var globals: [GlobalUse] = []
  /// The first fault, with its offset.
  ///
  /// Python stops there.
  package private(set) var fault: CheckpointError?
  /// Values that are pickles or archives.
  package private(set) var nested: [Nested] = []
  /// Whether the program ends with STOP.
  package private(set) var isComplete = false
  /// Whether the program goes on after the end of the bytes.
  package private(set) var isCut = false
  /// The number of bytes that the opcode needs at which the bytes end, counted from their start.
  package private(set) var neededByteCount = 0
  /// Whether the program begins with PROTO.
  package private(set) var hasProtocol = false
  /// Whether the object is the number with which `torch.save` began its files before PyTorch 1.6.
  package private(set) var isTorchMagicNumber = false
  /// The length of the program in bytes: up to STOP, or to the opcode where the scan ends.
  package private(set) var byteCount = 0
  /// The offsets of all PROTO opcodes but the first.
  package private(set) var laterProtocols: [Int] = []
  /// The offset of the first opcode that crosses the end of its frame.
  package private(set) var frameCrossing: Int?

  /// Whether the pickle calls nothing but what checkpoints are made of, so that nothing in it loads
  /// its values.
  package var callsOnlyKnown: Bool {
    globals.allSatisfy { $0.verdict == .known || $0.ways.isEmpty }
  }

  /// The most dangerous verdict.
  package var verdict: GlobalPolicy.Verdict { globals.first?.verdict ?? .known }

  /// Scans the pickle at the start of `bytes`, which begin at offset `base` of their file or entry, up
  /// to its STOP, or up to the first fault if `stopsAtFault`.
  ///
  /// `followingByteCount` is the number of bytes that follow them there.
  package init(
    _ bytes: Span<UInt8>, base: Int = 0, followingByteCount: Int = 0, stopsAtFault: Bool = false
  ) {
    self.init(
      bytes, base: base, followingByteCount: followingByteCount, stopsAtFault: stopsAtFault,
      looksInside: true)
  }

  /// Scans a pickle without a look at its values, to tell whether it is one.
  init(
    _ bytes: Span<UInt8>, base: Int = 0, followingByteCount: Int = 0, stopsAtFault: Bool = true,
    looksInside: Bool
  ) {
    var machine = Unpickler(unsafeGlobals: .report)
    machine.followingByteCount = followingByteCount
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
        if opcode == .proto {
          if start == 0 { hasProtocol = true } else { laterProtocols.append(offset) }
        }
        if opcode == .stop {
          isComplete = true
          try machine.requireEndOfFrame(at: reader.position)
          if machine.crossesFrame, frameCrossing == nil { frameCrossing = offset }
          isTorchMagicNumber = machine.isTorchMagicNumber
          if machine.stackState.isEmpty {
            throw CheckpointError(.malformed, "the pickle ends without an object")
          }
          break
        }
        do throws(CheckpointError) {
          try machine.execute(opcode, &reader)
        } catch {
          // What an opcode would have read counts as well: a frame hides its true operand.
          let end = error.code == .truncated ? Self.neededByteCount(bytes, at: start) : 0
          if max(end, reader.position) > machine.frameEnd {
            try machine.leaveFrame(at: max(end, reader.position))
          }
          if machine.crossesFrame, frameCrossing == nil { frameCrossing = offset }
          guard error.code != .limitExceeded, !stopsAtFault else { throw error }
          faultCount += 1
          note(error, at: offset)
          reader = ByteReader(bytes, base: base)
          try reader.skip(start + 1)
          try opcode.skipOperand(&reader)
          machine.settle(opcode, from: state)
          if reader.position >= machine.frameEnd { try machine.leaveFrame(at: reader.position) }
        }
        if machine.crossesFrame, frameCrossing == nil { frameCrossing = offset }
        notes.add(opcode, machine, offset, calling: callable)
        if looksInside, let value = machine.pickleOnTop(after: opcode, offset) {
          nested.append(value)
        }
      } catch {
        note(error, at: offset)
        isCut = error.code == .truncated
        if isCut { neededByteCount = Self.neededByteCount(bytes, at: start) }
        break
      }
    }
    byteCount = reader.position
    let changes = machine.changedGlobals
    globals = GlobalCensus.uses(
      in: machine.finish(), mentions: notes.mentions, calls: notes.calls, changes: changes,
      plainCalls: notes.plainCalls)
  }

  private static func opcode(_ reader: inout ByteReader) throws(CheckpointError) -> Opcode {
    let code = try reader.readInteger(as: UInt8.self)
    guard let opcode = Opcode(rawValue: code) else {
      throw CheckpointError(.malformed, "0x\(String(code, radix: 16)) is not a pickle operation")
    }
    return opcode
  }

  /// The number of bytes up to the end of the opcode at `start`, which the bytes end inside.
  private static func neededByteCount(_ bytes: Span<UInt8>, at start: Int) -> Int {
    guard start < bytes.count, let opcode = Opcode(rawValue: bytes[start]) else { return start + 1 }
    switch opcode.operand {
    case .bytes(let count): return start + 1 + count
    case .lines: return bytes.count + 1
    case .counted(let lengthByteCount):
      let end = start + 1 + lengthByteCount
      guard end <= bytes.count else { return end }
      let length = (start + 1..<end).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
      return end.addingClamped(Int(clamping: length))
    }
  }

  private mutating func note(_ error: CheckpointError, at offset: Int) {
    guard fault == nil else { return }
    var error = error
    error.offset = offset
    fault = error
  }

  /// The offsets and calls that the graph does not record.
  private struct Notes {
    var mentions: [NodeID: GlobalCensus.Mentions] = [:]
    var calls: [GlobalCensus.CallOrigin] = []
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

    /// Whether an operation finds nothing to take.
    var isEmpty: Bool { count <= lastMark ?? 0 }
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
      return PickleSignature.mayHoldPickles(bytes)
        ? .init(offset: offset, bytes: Array(bytes)) : nil
    case .string(let run):
      // Protocols 0 to 2 spell bytes as text, one character for each byte.
      let text = graph[run]
      guard text.starts(with: [0xc2, 0x80]), let bytes = PythonText.latin1(text),
        PickleSignature.mayHoldPickles(bytes[...])
      else { return nil }
      return .init(offset: offset, bytes: bytes)
    default: return nil
    }
  }

  /// Whether the object on top of the stack is the number that legacy files begin with.
  fileprivate var isTorchMagicNumber: Bool {
    guard let top = stack.last, case .largeInt(let run) = graph[top] else { return false }
    return graph[run].elementsEqual(PickleSignature.torchMagicNumber)
  }
}

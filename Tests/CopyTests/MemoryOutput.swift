import CkptBase
import CkptCopy
import CkptPlan

/// A destination that keeps its bytes and watches how they arrive.
final class MemoryOutput: CopyDestination {
  private struct State {
    var bytes: [UInt8] = []
    var writes: [Range<Int>] = []
  }

  let isSequential: Bool
  let canOverwrite: Bool
  let scratchDirectory = Syscalls.temporaryDirectory()
  private let state = Locked(State())

  init(isSequential: Bool = false, canOverwrite: Bool = true) {
    self.isSequential = isSequential
    self.canOverwrite = canOverwrite
  }

  func prepare(byteCount: Int) {
    state.withLock { $0.bytes = Array(repeating: 0xee, count: byteCount) }
  }

  func write(_ bytes: RawSpan, at offset: Int) {
    let range = offset..<offset + bytes.byteCount
    state.withLock { state in
      bytes.withUnsafeBytes { state.bytes.replaceSubrange(range, with: $0) }
      state.writes.append(range)
    }
  }

  /// The written bytes.
  var bytes: [UInt8] { state.withLock { $0.bytes } }
  /// The number of writes.
  var writeCount: Int { state.withLock { $0.writes.count } }

  /// Whether every byte was written, in order if that was asked for.
  ///
  /// Nothing without bytes may be written. Only bytes that were left open for a computed field are written twice.
  var isWrittenThrough: Bool {
    let (writes, byteCount) = state.withLock { ($0.writes, $0.bytes.count) }
    var end = 0
    for write in isSequential ? writes : writes.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard !write.isEmpty, isSequential ? write.lowerBound == end : write.lowerBound <= end else {
        return false
      }
      end = max(end, write.upperBound)
    }
    return end == byteCount
  }

  /// Whether no byte was written twice.
  var isWrittenOnce: Bool {
    let (writes, byteCount) = state.withLock { ($0.writes, $0.bytes.count) }
    return isWrittenThrough && writes.reduce(0) { $0 + $1.count } == byteCount
  }
}

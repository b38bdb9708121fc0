internal import Bytes
internal import Codecs
internal import Plan

/// An output that keeps nothing but the SHA-256 of each of several runs of bytes.
final class DigestingOutput: CopyDestination {
  private struct State {
    var hash = SHA256()
    var run = 0
    var digests: [SHA256.Digest] = []
  }

  /// Where each run ends.
  private let ends: [Int]
  private let state = Locked(State())

  /// An output for runs of these lengths, one after the other, none of them empty.
  init(runs byteCounts: [Int]) {
    var end = 0
    ends = byteCounts.map { count in
      end += count
      return end
    }
  }

  /// The digests in the order of the runs, once all bytes have arrived.
  var digests: [SHA256.Digest] { state.withLock { $0.digests } }

  /// Always: a hash takes its bytes in order.
  var isSequential: Bool { true }

  /// The user's directory for temporary files.
  var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing: nothing is kept.
  func prepare(byteCount: Int) {}

  /// Takes in the next bytes.
  func write(_ bytes: RawSpan, at offset: Int) {
    state.withLock { state in
      var place = offset
      while place < offset + bytes.byteCount {
        let end = min(offset + bytes.byteCount, ends[state.run])
        state.hash.update(bytes.extracting(place - offset..<end - offset))
        place = end
        guard end == ends[state.run] else { break }
        state.digests.append(state.hash.finish())
        state.run += 1
      }
    }
  }
}

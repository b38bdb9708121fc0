internal import CkptBase
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan

/// Computes the SHA-256 of tensors' elements: packed in row-major order, little-endian.
///
/// A hash needs its bytes in order, so each thread hashes whole tensors.
struct TensorDigests {
  /// The tensors that one thread hashes.
  private struct Share {
    var plan = FilePlan()
    var tensors: [TensorID] = []
    var byteCounts: [Int] = []
  }

  /// The digests that the threads return.
  private struct Results {
    var next = 0
    var digests: [TensorID: SHA256.Digest] = [:]
    var failure: CheckpointError?
    var done: [Int]

    /// Returns the number of the next share, or `nil` if there are no more or one failed.
    mutating func take(of count: Int) -> Int? {
      guard next < count, failure == nil else { return nil }
      defer { next += 1 }
      return next
    }
  }

  private var shares: [Share]
  private let budget: CopyBudget
  /// The tensors that share the bytes of another one.
  private var twins: [(tensor: TensorID, first: TensorID)] = []

  /// Returns the digests of those of `tensors` that have elements.
  ///
  /// All other bytes of the storages are checked too, if there are checksums.
  ///
  /// - Throws: the errors of ``CopyEngine/run(_:into:)``; `limitExceeded` for a tensor that repeats
  ///   few elements too often.
  static func compute(
    of tensors: [(name: String, id: TensorID)], in checkpoint: Checkpoint, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> [TensorID: SHA256.Digest] {
    var digests = TensorDigests(budget: budget)
    try digests.share(tensors, of: checkpoint)
    var found = try digests.run(progress)
    for twin in digests.twins { found[twin.tensor] = found[twin.first] }
    return found
  }

  private init(budget: CopyBudget) {
    self.budget = budget
    shares = Array(repeating: Share(), count: budget.threadCount)
  }

  private mutating func share(
    _ tensors: [(name: String, id: TensorID)], of checkpoint: Checkpoint
  ) throws(CheckpointError) {
    let graph = checkpoint.graph
    var firsts: [TensorBytes: TensorID] = [:]
    for (name, id) in tensors {
      guard let bytes = TensorBytes(graph[id], of: graph) else { continue }
      try Tensor.requireFiniteWork(name, bytes.segments)
      if let first = firsts[bytes] {
        if first != id { twins.append((id, first)) }
        continue
      }
      firsts[bytes] = id
      let share = shares.indices.min { shares[$0].plan.byteCount < shares[$1].plan.byteCount } ?? 0
      for segment in bytes.segments { shares[share].plan.append(segment) }
      shares[share].tensors.append(id)
      shares[share].byteCounts.append(graph[id].byteCount)
    }
    // If several threads read a region, only the first checks it.
    var checked: Set<Int> = []
    for (number, share) in shares.enumerated() {
      for id in share.tensors {
        guard let storage = graph[id].storage, checked.insert(graph.index(of: storage)).inserted,
          let region = graph[storage].region
        else { continue }
        shares[number].plan.inspect(region)
      }
    }
    for (index, storage) in graph.storages.enumerated() where !checked.contains(index) {
      if let region = storage.region { shares[0].plan.inspect(region) }
    }
    for region in checkpoint.unusedRegions { shares[0].plan.inspect(region) }
  }

  private func run(
    _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> [TensorID: SHA256.Digest] {
    let shares = shares
    let total = shares.reduce(0) { $0 + $1.plan.byteCount }
    let results = Locked(Results(done: Array(repeating: 0, count: shares.count)))
    Syscalls.concurrently(shares.count) { [budget] in
      while let number = results.withLock({ $0.take(of: shares.count) }) {
        let share = shares[number]
        let output = DigestingOutput(runs: share.byteCounts)
        do throws(CheckpointError) {
          let engine = CopyEngine(budget.ofOneThread) { done, _ in
            results.withLock { results in
              results.done[number] = min(done, share.plan.byteCount)
              progress(results.done.reduce(0, +), total)
            }
          }
          try engine.run(share.plan, into: output)
          results.withLock { results in
            for (id, digest) in zip(share.tensors, output.digests) { results.digests[id] = digest }
          }
        } catch {
          results.withLock { $0.failure = $0.failure ?? error }
        }
      }
    }
    let finished = results.withLock { $0 }
    if let failure = finished.failure { throw failure }
    return finished.digests
  }
}

/// An output that only computes the SHA-256 of several runs of bytes.
final class DigestingOutput: CopyDestination {
  private struct State {
    var hash = SHA256()
    var run = 0
    var digests: [SHA256.Digest] = []
  }

  /// The end of each run.
  private let ends: [Int]
  private let state = Locked(State())

  /// Creates an output for consecutive runs of these lengths, none of them empty.
  init(runs byteCounts: [Int]) {
    var end = 0
    ends = byteCounts.map { count in
      end += count
      return end
    }
  }

  /// The digests in the order of the runs, after all bytes were written.
  var digests: [SHA256.Digest] { state.withLock { $0.digests } }

  /// Returns true: a hash needs its bytes in order.
  var isSequential: Bool { true }

  /// The user's directory for temporary files.
  var scratchDirectory: String { Syscalls.temporaryDirectory() }

  /// Does nothing, because nothing is stored.
  func prepare(byteCount: Int) {}

  /// Hashes the next bytes.
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

internal import Bytes

/// Hands out work in the order of the output and remembers what went wrong.
final class WorkQueue: Sendable {
  /// One part of a piece of work.
  struct Job {
    /// The work it is part of.
    let work: Work
    /// Which part it is.
    let part: Int
    /// How many jobs were handed out before.
    let rank: Int
  }

  private struct State {
    var next = 0
    var part = 0
    var rank = 0
    var failure: (rank: Int, error: FormatError)?
  }

  private let work: [Work]
  private let state = Locked(State())

  /// A queue that has not handed out anything.
  init(_ work: [Work]) { self.work = work }

  /// The number of jobs, counted only as far as it matters for so many threads.
  func jobCount(upTo limit: Int) -> Int {
    var count = 0
    for work in work where count < limit { count += min(work.jobCount, limit) }
    return min(count, limit)
  }

  /// The next job, or `nil` when there are none, something went wrong or the program is to end.
  func next() -> Job? {
    state.withLock { state in
      guard state.failure == nil else { return nil }
      guard !Interruption.isRequested else {
        state.failure = (.max, FormatError(.interrupted("copying")))
        return nil
      }
      while state.next < work.count, state.part >= work[state.next].jobCount {
        state.next += 1
        state.part = 0
      }
      guard state.next < work.count else { return nil }
      defer {
        state.part += 1
        state.rank += 1
      }
      return Job(work: work[state.next], part: state.part, rank: state.rank)
    }
  }

  /// Remembers an error unless an earlier job had one.
  ///
  /// Jobs that were handed out are finished, so of several faults in a file the first is the one
  /// reported, however many threads there are.
  func fail(_ error: FormatError, rank: Int) {
    state.withLock { state in
      if let failure = state.failure, failure.rank <= rank { return }
      state.failure = (rank, error)
    }
  }

  /// The error of the earliest job that had one.
  var failure: FormatError? { state.withLock { $0.failure?.error } }
}

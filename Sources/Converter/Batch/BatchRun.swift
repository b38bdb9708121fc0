package import CkptBase
internal import CkptCheckpoints
package import CkptCopy
internal import CkptPlan

/// Runs a schedule: several items at once, each recorded in the journal when it ends.
package final class BatchRun: Sendable {
  /// The state that the threads share.
  private struct State {
    /// The numbers of the items that were not started, in reverse order.
    var waiting: [Int]
    var reports: [ItemReport]
    /// The items whose work ended and that are not in the journal yet.
    var ended: [CompletedItem] = []
    /// The number of threads that started work, and the number of those that are still working.
    var workerCount = 0
    var busyWorkers = 0
    var hasCommitter = false
    var isCommitting = false
    var stop: CheckpointError?
    var tracker = ProgressTracker()
  }

  private let schedule: BatchSchedule
  private let verb: any BatchVerb
  private let store: BatchStore?
  private let rules: BatchRules
  private let observer: any BatchObserver
  private let state: Monitor<State>

  /// Prepares a run of `schedule`.
  ///
  /// Without a store nothing is recorded.
  package init(
    _ schedule: BatchSchedule, verb: any BatchVerb, store: BatchStore?, _ rules: BatchRules,
    observer: any BatchObserver
  ) {
    self.schedule = schedule
    self.verb = verb
    self.store = store
    self.rules = rules
    self.observer = observer
    let open = schedule.open
    var initial = State(
      waiting: open.reversed(), reports: schedule.entries.map { ItemReport(before: $0) })
    initial.tracker.itemCount = open.count
    initial.tracker.byteCount = schedule.readByteCount
    state = Monitor(initial)
  }

  /// Processes all items, or as many as possible.
  ///
  /// - Throws: `inputOutput` if the journal cannot be started.
  package func run() throws(CheckpointError) -> BatchReport {
    if verb.writes {
      var records: [JournalRecord] = []
      for index in schedule.open { records.append(try planned(schedule.entries[index].item)) }
      try store?.append(records)
    }
    let deletions = try deleteFinished()
    let openCount = schedule.open.count
    let workers = min(rules.jobs, max(openCount, 1))
    // One extra thread waits for the disk while the others work.
    Syscalls.concurrently(workers + 1) { self.takePart(workers) }
    var (reports, stop) = state.change { ($0.reports, $0.stop) }
    for (index, error) in deletions { reports[index].noteDeletion(error) }
    return BatchReport(items: reports, shard: schedule.shard, stop: stop)
  }

  /// Deletes the inputs of items that an earlier run converted and verified, but did not delete.
  ///
  /// - Returns: the numbers of these items, each with the error that prevented the deletion, if
  ///   any.
  private func deleteFinished() throws(CheckpointError) -> [(index: Int, error: CheckpointError?)] {
    guard rules.deletesSources else { return [] }
    var records: [JournalRecord] = []
    var indices: [Int] = []
    for (index, entry) in schedule.entries.enumerated() {
      guard case .finished(var record) = entry.standing, record.isVerified else { continue }
      record.deletesSources = true
      records.append(record)
      indices.append(index)
    }
    try store?.append(records)
    return indices.map { ($0, SourceDeletion.carryOut(schedule.entries[$0].item)) }
  }

  private func takePart(_ workers: Int) {
    let isWorker = state.change { state in
      guard state.workerCount < workers else {
        state.hasCommitter = true
        return false
      }
      state.workerCount += 1
      state.busyWorkers += 1
      return true
    }
    if isWorker {
      work()
    } else {
      waitAndCommit()
    }
  }

  // MARK: Working

  private func work() {
    while let (index, budget) = next() {
      let ended = attempt(index, budget)
      let mustCommit = state.change { state in
        state.tracker.end(index)
        state.ended.append(ended)
        if let error = ended.error { note(error, in: &state) }
        return !state.hasCommitter
      }
      // If the system runs out of threads, there is none to wait for the disk.
      if mustCommit { commit() }
    }
    let isLast = state.change { state in
      state.busyWorkers -= 1
      return state.busyWorkers == 0 && !state.hasCommitter
    }
    if isLast { commit() }
  }

  private func next() -> (index: Int, WorkBudget)? {
    state.change { state in
      if state.stop == nil {
        do throws(CheckpointError) {
          try rules.budget.cancellation?.check()
        } catch {
          state.stop = error
        }
      }
      guard state.stop == nil, let index = state.waiting.popLast() else { return nil }
      let item = schedule.entries[index].item
      state.tracker.begin(index, item.name)
      // Near the end there are fewer items than jobs, so each gets more threads.
      let running = state.tracker.runningCount
      let usual = min(rules.jobs, running + state.waiting.count)
      return (index, rules.budget(running: usual))
    }
  }

  /// Decides whether a failure stops the whole batch.
  private func note(_ error: CheckpointError, in state: inout State) {
    guard state.stop == nil else { return }
    let isForAll = error.code == .cancelled || error.cause?.isOutOfSpace == true
    if isForAll || !rules.keepsGoing { state.stop = error }
  }

  private func attempt(_ index: Int, _ budget: WorkBudget) -> CompletedItem {
    let entry = schedule.entries[index]
    let start = Syscalls.monotonicNanoseconds()
    var attempts = 0
    while true {
      attempts += 1
      var ended = CompletedItem(index: index, attempts: attempts)
      do throws(CheckpointError) {
        try perform(entry, index, budget, &ended)
        ended.duration = Syscalls.monotonicNanoseconds() - start
        return ended
      } catch {
        ended.error = error
        ended.duration = Syscalls.monotonicNanoseconds() - start
        guard attempts <= rules.retries, error.mayPass,
          rules.budget.cancellation?.isCancelled != true
        else { return ended }
        // Networks and servers can need time to recover; each wait is twice as long.
        Syscalls.rest(nanoseconds: 250_000_000 << min(attempts - 1, 7))
      }
    }
  }

  private func perform(
    _ entry: BatchSchedule.Entry, _ index: Int, _ budget: WorkBudget, _ ended: inout CompletedItem
  ) throws(CheckpointError) {
    let work = try entry.item.work.get()
    for path in work.reads {
      ended.inputs.append(
        try FileIdentity(of: path, hashing: rules.hashesInputs, until: rules.budget.cancellation))
    }
    if case .again(let stale) = entry.standing {
      // These files belong to the batch. Replacing them would leave a second name after a kill.
      try OutputFiles.remove(stale, of: work.writes + work.leftovers)
    }
    ended.result = try work.run(budget) { done, total in
      let progress = self.state.change { state in
        state.tracker.update(index, done: done, of: total, size: entry.item.readByteCount)
        return state.tracker.progress
      }
      self.observer.update(progress)
    }
  }

  // MARK: Committing

  private func waitAndCommit() {
    while true {
      let isOver = state.wait { state -> Bool? in
        if !state.ended.isEmpty, !state.isCommitting { return false }
        return state.busyWorkers == 0 && state.ended.isEmpty ? true : nil
      }
      if isOver { return }
      commit()
    }
  }

  /// Records all ended items in the journal.
  ///
  /// One wait for the disk covers all items that ended during the wait before.
  private func commit() {
    while let group = takeEnded() {
      let committed = ResultCommitter(schedule, verb: verb, store: store, rules).carryOut(group)
      for (index, report) in committed.reports {
        let progress = state.change { state in
          state.reports[index] = report
          state.tracker.finish(index, size: report.readByteCount)
          return state.tracker.progress
        }
        if report.outcome != .pending { observer.finished(report, progress) }
      }
      state.change { state in
        state.isCommitting = false
        if let error = committed.error, state.stop == nil { state.stop = error }
      }
    }
  }

  /// Returns the items to commit; `nil` for none, or if another thread is committing.
  private func takeEnded() -> [CompletedItem]? {
    state.change { state in
      guard !state.isCommitting, !state.ended.isEmpty else { return nil }
      state.isCommitting = true
      defer { state.ended = [] }
      return state.ended
    }
  }

  /// Returns the record before an item starts: outputs that appear after it belong to the batch.
  private func planned(_ item: BatchItem) throws(CheckpointError) -> JournalRecord {
    var record = JournalRecord(
      .planned, verb: verb.name, settings: rules.settings, item: item.name)
    guard rules.replacesExisting else { return record }
    for path in try OutputFiles.existing(item.writes) {
      record.outputs.append(
        try FileIdentity(of: path, as: store?.nameBelowRoot(path)))
    }
    return record
  }
}

extension CheckpointError {
  /// Whether another attempt can succeed: the system failed, but not because something is missing,
  /// exists already or is full.
  fileprivate var mayPass: Bool {
    guard code == .inputOutput else { return false }
    guard let cause else { return true }
    return !cause.isMissing && !cause.isPresent && !cause.isOutOfSpace
  }
}

/// The caller's choices for a batch.
package struct BatchRules: Sendable {
  /// The flags that decide the content of outputs, as text.
  package var settings = ""
  /// The number of items to process at once.
  package var jobs = 1
  /// The resources for all items together, and the cancellation.
  package var budget = CopyBudget()
  /// Whether to skip the items of earlier runs.
  package var resumes = false
  /// Whether existing outputs are replaced.
  package var replacesExisting = false
  /// Whether to continue after an item failed.
  package var keepsGoing = false
  /// The number of retries after a system error.
  package var retries = 0
  /// Whether to delete inputs after their outputs were verified.
  package var deletesSources = false
  /// Whether inputs are recognized by a hash of their bytes.
  package var hashesInputs = false

  /// Creates the default rules.
  package init() {}

  /// The minimum memory for one item, in bytes.
  private static let leastMemory = 1 << 20

  /// Returns the budget of one item, an equal part while `running` items run.
  func budget(running: Int) -> WorkBudget {
    let threads = budget.threads ?? Syscalls.availableProcessors()
    var copying = budget.part(of: jobs, threads: max(threads / max(running, 1), 1))
    copying.workingMemory = max(copying.workingMemory ?? 0, Self.leastMemory)
    return WorkBudget(copying: copying, replacesExisting: replacesExisting)
  }
}

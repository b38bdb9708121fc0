package import CkptBase
package import CkptCopy
internal import CkptPlan

/// Carries out a schedule: several items at once, each ended by a line in the journal.
package final class BatchRun: Sendable {
  /// What the threads share.
  private struct State {
    /// The numbers of the items that nobody has begun, in reverse order.
    var waiting: [Int]
    var reports: [ItemReport]
    /// The items whose work has ended and that are not yet in the journal.
    var ended: [CompletedItem] = []
    /// How many threads have taken on work, and how many of them have not given up.
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

  /// Prepares to do what `schedule` has; without a store, nothing is written down.
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

  /// Does everything, or as much as is possible.
  ///
  /// - Throws: `inputOutput` when the journal cannot be begun.
  package func run() throws(CheckpointError) -> BatchReport {
    if verb.writes {
      var records: [JournalRecord] = []
      for index in schedule.open { records.append(try planned(schedule.entries[index].item)) }
      try store?.append(records)
    }
    let deletions = try deleteFinished()
    let openCount = schedule.open.count
    let workers = min(rules.jobs, max(openCount, 1))
    // One more thread waits for the disk while the others go on.
    Syscalls.concurrently(workers + 1) { self.takePart(workers) }
    var (reports, stop) = state.change { ($0.reports, $0.stop) }
    for (index, error) in deletions { reports[index].noteDeletion(error) }
    return BatchReport(items: reports, shard: schedule.shard, stop: stop)
  }

  /// Deletes the inputs of items that an earlier run has converted and compared, where that run was
  /// not told to or was stopped before.
  ///
  /// - Returns: the numbers of these items, and what kept their inputs from being deleted.
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
      // A machine that is short of threads has none to spare for waiting.
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
      // Near the end fewer items are left than jobs, and each gets more of the threads.
      let running = state.tracker.runningCount
      let usual = min(rules.jobs, running + state.waiting.count)
      return (index, rules.budget(running: usual))
    }
  }

  /// Decides whether a failure is one for all.
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
        // Networks and servers that stumble need a moment; each wait is twice as long.
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
      // They are the batch's own; to replace them would leave a second name if it were killed.
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

  /// Puts all that has ended into the journal, with one wait for the disk for as many items as have
  /// ended during the wait before.
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

  /// What is to be committed; `nil` when there is nothing, or another thread is at it.
  private func takeEnded() -> [CompletedItem]? {
    state.change { state in
      guard !state.isCommitting, !state.ended.isEmpty else { return nil }
      state.isCommitting = true
      defer { state.ended = [] }
      return state.ended
    }
  }

  /// What is written down before an item is begun: whatever appears from then on is the batch's own.
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
  /// Whether another attempt can have another end: the system was at fault, and not by saying that
  /// something is missing, taken or full.
  fileprivate var mayPass: Bool {
    guard code == .inputOutput else { return false }
    guard let cause else { return true }
    return !cause.isMissing && !cause.isPresent && !cause.isOutOfSpace
  }
}

/// How a batch is carried out.
package struct BatchRules: Sendable {
  /// The flags that decide what outputs hold, as text.
  package var settings = ""
  /// How many items are worked on at once.
  package var jobs = 1
  /// What all of them together may use of the machine, and what ends the batch early.
  package var budget = CopyBudget()
  /// Whether what earlier runs have done counts.
  package var resumes = false
  /// Whether existing outputs are replaced.
  package var replacesExisting = false
  /// Whether items go on after one has failed.
  package var keepsGoing = false
  /// How often an item is tried again when the system was at fault.
  package var retries = 0
  /// Whether inputs are deleted when their outputs have been verified.
  package var deletesSources = false
  /// Whether inputs are known by a hash of their bytes.
  package var hashesInputs = false

  /// The defaults.
  package init() {}

  /// The least memory that one item can work with, in bytes.
  private static let leastMemory = 1 << 20

  /// What one item may use while `running` are worked on at once: an equal part.
  func budget(running: Int) -> WorkBudget {
    let threads = budget.threads ?? Syscalls.availableProcessors()
    var copying = budget.part(of: jobs, threads: max(threads / max(running, 1), 1))
    copying.workingMemory = max(copying.workingMemory ?? 0, Self.leastMemory)
    return WorkBudget(copying: copying, replacesExisting: replacesExisting)
  }
}

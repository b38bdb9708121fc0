internal import CkptBase
internal import CkptBatch
internal import CkptCheckpoints
internal import CkptConvert

/// One run of `ckptconv batch`: plans, checks the plan, processes the items, reports the result.
struct BatchSession {
  private let verb: any BatchVerb
  private let options: BatchOptions
  private let rules: BatchRules
  private let isJSON: Bool
  private let console: Console

  init(
    verb: any BatchVerb, _ options: BatchOptions, settings: String, _ shared: SharedOptions,
    _ console: Console
  ) {
    self.verb = verb
    self.options = options
    rules = options.rules(settings: settings, budget: shared.budget)
    isJSON = shared.json
    self.console = console
  }

  /// Runs the batch.
  ///
  /// - Throws: an error that stops the whole batch.
  func run(on operands: [String]) throws(CheckpointError) -> ExitCode {
    if verb.comparesWithRoot, let root = options.root { try requireTree(root) }
    let shard = try chosenShard()
    let plan = try plan(operands)
    if let report = options.report { try BatchReport.requireFree(report, rules) }
    if options.mergesReports { return try merge(plan) }
    if options.isDryRun { return try preview(plan, shard) }
    if shard == nil {
      // This is checked before anything is touched, and again under the lock.
      let schedule = BatchSchedule(
        plan, try history(), verb: verb, root: options.root, rules, shard: nil)
      if let refusal = try refusal(of: examined(schedule)) { return refusal }
    }
    return try carryOut(plan, shard)
  }

  /// The files that the batch writes for these inputs, or has written before.
  ///
  /// - Throws: what makes it impossible to find the inputs.
  func outputs(for operands: [String]) throws(CheckpointError) -> [String] {
    try plan(operands).items.flatMap(\.writes)
  }

  // MARK: Planning

  /// Refuses to verify against a directory that does not exist, instead of creating it.
  private func requireTree(_ root: String) throws(CheckpointError) {
    if try FilePath(root).status() == nil { throw .missing(root) }
  }

  private func chosenShard() throws(CheckpointError) -> Shard? {
    let explicit = options.shard
    var shard = explicit
    if shard == nil, !options.mergesReports, options.root != nil {
      shard = try Shard.ofSlurmTask(Syscalls.environment)
    }
    return shard?.count == 1 ? nil : shard
  }

  private func plan(_ operands: [String]) throws(CheckpointError) -> BatchPlan {
    var arguments = operands
    if let list = options.list { arguments += try InputList.arguments(in: list) }
    let search = InputSearch(
      for: verb, includingFiles: options.includesFiles, root: options.root)
    let earlier = rules.resumes ? try history() : JournalHistory()
    var inputs: [FoundInput] = []
    for argument in arguments {
      do throws(CheckpointError) {
        inputs += try search.inputs(for: argument)
      } catch {
        // A missing step in a list is one error among many inputs.
        inputs.append(
          FoundInput(deleted: argument, earlier) ?? FoundInput(missing: argument, error))
      }
    }
    return try BatchPlan(of: verb, on: inputs, root: options.root)
  }

  private func history() throws(CheckpointError) -> JournalHistory {
    guard let root = options.root else { return JournalHistory() }
    return try BatchStore.history(of: root, for: verb)
  }

  /// Finds damaged inputs in a schedule if one of them would end the batch.
  private func examined(_ schedule: BatchSchedule) -> BatchSchedule {
    verb.writes && !rules.keepsGoing ? schedule.examined() : schedule
  }

  /// Reports every error that stops a schedule.
  private func refusal(of schedule: BatchSchedule) throws(CheckpointError) -> ExitCode? {
    let faults = schedule.faults
    if !faults.isEmpty, !rules.keepsGoing {
      let count = schedule.entries.count
      let others = faults.filter { $0.error.remedy?.action != .resume }
      for fault in others { console.report(fault.error.framed(by: fault.item.input)) }
      if others.count < faults.count {
        let written = faults.count - others.count
        console.report(
          "\(written) of \(count) outputs exist already from an earlier run",
          remedy: .action(.resume))
      } else {
        console.note(
          "nothing was done: \(others.count) of \(count.pluralized("item")) cannot be processed"
            + (others.count < count ? "; add --keep-going to process the others" : ""))
      }
      return ExitCode(found: false, failures: faults.map(\.error))
    }
    if let root = options.root, verb.writes { try schedule.requireSpace(below: root) }
    return nil
  }

  private func preview(_ plan: BatchPlan, _ shard: Shard?) throws(CheckpointError) -> ExitCode {
    var plan = plan
    if let shard, let root = options.root {
      try plan.keep(shard, of: verb, below: root, writing: false)
    }
    let schedule = BatchSchedule(
      plan, try history(), verb: verb, root: options.root, rules, shard: shard)
    let preview = try BatchPreview(schedule, root: options.root, writes: verb.writes)
    try console.print(
      isJSON ? preview.json(\.words) : BatchListing(preview).text(width: console.columns))
    var exitCode = ExitCode(found: false, failures: preview.faults.map(\.error))
    exitCode.merge(preview.fits ? .done : .inputOutput)
    return exitCode
  }

  // MARK: Doing

  private func carryOut(_ plan: BatchPlan, _ shard: Shard?) throws(CheckpointError) -> ExitCode {
    var plan = plan
    var store: BatchStore?
    if let root = options.root {
      store = try BatchStore(root: root, for: verb, shard: shard, \.words)
      if let shard { try plan.keep(shard, of: verb, below: root, writing: true) }
    }
    for warning in store?.warnings ?? [] { console.warn(warning) }
    let schedule = BatchSchedule(
      plan, store?.history ?? JournalHistory(), verb: verb, root: options.root, rules,
      shard: shard)
    // Without shards, inputs were examined before the lock was taken.
    if let refusal = try refusal(of: shard == nil ? schedule : examined(schedule)) {
      return refusal
    }
    let start = TerminalSyscalls.time()
    let display = BatchDisplay(console, isJSON: isJSON, total: schedule.open.count)
    display.begin(schedule)
    TerminalSyscalls.stopGracefullyWhenInterrupted()
    let report = try BatchRun(schedule, verb: verb, store: store, rules, observer: display).run()
    console.progress?.finish()
    return try conclude(report, after: TerminalSyscalls.time() - start)
  }

  private func merge(_ plan: BatchPlan) throws(CheckpointError) -> ExitCode {
    let history = try history()
    let schedule = BatchSchedule(plan, history, verb: verb, root: options.root, rules)
    let report = BatchReport(merging: schedule, history, verb: verb)
    return try conclude(report, after: .zero)
  }

  /// Writes the report and prints the result of a run that took `elapsed`.
  private func conclude(
    _ report: BatchReport, after elapsed: Duration
  ) throws(CheckpointError) -> ExitCode {
    if let path = options.report { try report.write(to: path, rules, \.words) }
    if isJSON {
      // The other items were printed when they ended.
      for item in report.items where item.attempts == 0 || item.outcome == .pending {
        try console.printJSON(item.json(\.words))
      }
      try console.printJSON(report.summary)
    }
    BatchSummary(report, isMerged: options.mergesReports, elapsed: elapsed).tell(console)
    if let signal = Interruption.signal { TerminalSyscalls.end(bySignal: signal) }
    return ExitCode(report)
  }
}

extension ExitCode {
  /// Creates the exit code of a whole batch: that of its items; also 1 if nothing failed but items
  /// are left to do.
  fileprivate init(_ report: BatchReport) {
    self.init(found: report.count(.problem) > 0, failures: [report.stop].compactMap(\.self))
    for failure in report.items.compactMap(\.failure) { merge(ExitCode(failure)) }
    if self == .done, !report.isComplete { self = .difference }
  }
}

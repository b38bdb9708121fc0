internal import CkptBase
internal import CkptCheckpoints

/// Makes finished items durable: sync, journal, then delete sources.
///
/// It waits until the outputs are on the disk, then writes the journal, then deletes inputs if
/// requested. In this order a power failure loses nothing.
struct ResultCommitter: Sendable {
  /// The number of files up to which each file is synced; with more, syncing the file system is
  /// faster.
  private static let fileLimit = 8

  private let schedule: BatchSchedule
  private let verb: any BatchVerb
  private let store: BatchStore?
  private let rules: BatchRules

  init(
    _ schedule: BatchSchedule, verb: any BatchVerb, store: BatchStore?, _ rules: BatchRules
  ) {
    self.schedule = schedule
    self.verb = verb
    self.store = store
    self.rules = rules
  }

  /// Records the results of these items.
  ///
  /// - Returns: their reports, and the error that stops the batch, if any.
  func carryOut(
    _ group: [CompletedItem]
  ) -> (reports: [(index: Int, report: ItemReport)], error: CheckpointError?) {
    guard !group.isEmpty else { return ([], nil) }
    var records: [JournalRecord] = []
    var reports: [(index: Int, report: ItemReport)] = []
    let syncError = synchronize(group)
    for ended in group {
      let item = schedule.entries[ended.index].item
      var report = ItemReport(item, .done)
      report.duration = ended.duration
      report.attempts = ended.attempts
      do throws(CheckpointError) {
        if let error = ended.error ?? syncError { throw error }
        let record = try done(ended, item)
        report.outputs = record.outputs
        report.warnings = ended.result.warnings
        report.notes = ended.result.notes
        report.problems = ended.result.problems
        report.isVerified = record.isVerified
        if !report.problems.isEmpty { report.outcome = .problem }
        records.append(record)
      } catch {
        report.outcome = error.code == .cancelled ? .pending : .failed
        report.failure = JournalRecord.Failure(error)
        // A stopped item stays planned: outputs that appeared belong to the batch.
        if report.outcome == .failed, ended.error != nil { records.append(failed(error, item)) }
      }
      reports.append((ended.index, report))
    }
    do throws(CheckpointError) {
      try store?.append(records)
    } catch {
      for place in reports.indices where reports[place].report.outcome != .pending {
        reports[place].report.outcome = .failed
        reports[place].report.failure = JournalRecord.Failure(error)
      }
      return (reports, error)
    }
    if rules.deletesSources { deleteSources(&reports) }
    return (reports, syncError)
  }

  private func done(_ ended: CompletedItem, _ item: BatchItem) throws(CheckpointError)
    -> JournalRecord
  {
    var record = JournalRecord(
      .done, verb: verb.name, settings: rules.settings, item: item.name)
    record.inputs = ended.inputs
    for path in ended.result.outputs {
      record.outputs.append(try FileIdentity(of: path, as: store?.nameBelowRoot(path)))
    }
    record.outputVersion = verb.outputVersion
    record.isVerified = ended.result.isVerified
    record.deletesSources = rules.deletesSources && record.isVerified
    record.problems = ended.result.problems
    return record
  }

  private func failed(_ error: CheckpointError, _ item: BatchItem) -> JournalRecord {
    var record = JournalRecord(
      .failed, verb: verb.name, settings: rules.settings, item: item.name)
    record.failure = JournalRecord.Failure(error)
    return record
  }

  // MARK: The disk

  private func synchronize(_ group: [CompletedItem]) -> CheckpointError? {
    guard let store else { return nil }
    let written = group.filter { $0.error == nil }.flatMap(\.result.outputs)
    guard !written.isEmpty else { return nil }
    do throws(CheckpointError) {
      try synchronize(written, store.root)
      return nil
    } catch {
      return error
    }
  }

  private func synchronize(_ written: [String], _ root: String) throws(CheckpointError) {
    guard written.count <= Self.fileLimit else {
      return try Syscalls.synchronize(fileSystemOf: root)
    }
    for path in written { try synchronize(path) }
    for directory in directories(of: written, below: root) {
      try Syscalls.synchronize(directory: directory)
    }
  }

  private func synchronize(_ path: String) throws(CheckpointError) {
    let descriptor = try Syscalls.open(path, .read)
    defer { Syscalls.close(descriptor) }
    try Syscalls.synchronize(descriptor, path: path)
  }

  /// Returns the directories of these files, and those above them up to the root.
  private func directories(of paths: [String], below root: String) -> [String] {
    var found: Set = [ExactString(root)]
    for path in paths {
      var directory = FilePath(path).directory
      while directory.text.utf8.count > root.utf8.count, found.insert(directory.text) {
        directory = directory.directory
      }
    }
    return found.sorted().map(\.text)
  }

  private func deleteSources(_ reports: inout [(index: Int, report: ItemReport)]) {
    for place in reports.indices {
      let report = reports[place].report
      guard report.outcome == .done, report.isVerified else { continue }
      let item = schedule.entries[reports[place].index].item
      reports[place].report.noteDeletion(SourceDeletion.carryOut(item))
    }
  }
}

/// An item whose work ended and that is not in the journal yet.
struct CompletedItem: Sendable {
  /// The number in the schedule.
  let index: Int
  /// The number of attempts.
  let attempts: Int
  /// The files that were read, as they were before.
  var inputs: [FileIdentity] = []
  /// The result.
  var result = WorkResult()
  /// The reason for a failure.
  var error: CheckpointError?
  /// The duration in nanoseconds.
  var duration = 0

  /// Creates an item that was just started.
  init(index: Int, attempts: Int) {
    self.index = index
    self.attempts = attempts
  }
}

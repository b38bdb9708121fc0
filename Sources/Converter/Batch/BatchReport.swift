package import CkptBase
package import CkptCheckpoints
internal import CkptConvert
internal import CkptCopy
internal import CkptJSON
internal import CkptPlan

/// The report of a batch.
package struct BatchReport: Sendable {
  /// The items, in the order of the plan.
  package var items: [ItemReport]
  /// The part of the batch in this report; `nil` for the whole batch.
  package var shard: Shard?
  /// The error that stopped the batch.
  package var stop: CheckpointError?

  /// Creates a report of these items.
  package init(items: [ItemReport], shard: Shard? = nil, stop: CheckpointError? = nil) {
    self.items = items
    self.shard = shard
    self.stop = stop
  }

  /// Returns the number of items with an outcome.
  package func count(_ outcome: ItemReport.Outcome) -> Int {
    items.count { $0.outcome == outcome }
  }

  /// Whether all items are done without findings.
  package var isComplete: Bool {
    items.allSatisfy { $0.outcome == .done || $0.outcome == .finished }
  }

  /// The summary as one JSON object; `Documentation/batch.md` describes its members.
  package var summary: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("kind", "summary")
    json.member("complete", isComplete)
    json.member("items", items.count)
    json.member("done", count(.done))
    json.member("finished", count(.finished))
    json.member("problems", count(.problem))
    json.member("failed", count(.failed))
    json.member("pending", count(.pending))
    json.member("bytes_read", sum(\.readByteCount))
    json.member("bytes_written", sum(\.writtenByteCount))
    json.member("shard", shard?.description)
    json.member("stopped_by", stop?.description)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  /// Returns one JSON line for each item and one for the batch.
  package func lines(_ wording: Remedy.Wording) -> [String] {
    items.map { $0.json(wording) } + [summary]
  }

  /// The number of bytes that finished items read.
  package var readByteCount: Int { sum(\.readByteCount) }

  private func sum(_ property: KeyPath<ItemReport, Int>) -> Int {
    items.reduce(0) { $0 + ($1.outcome == .done ? $1[keyPath: property] : 0) }
  }
}

extension BatchReport {
  /// Merges the journals of all runs and shards.
  ///
  /// Items whose inputs were deleted after their conversion are known only from the journals.
  package init(merging schedule: BatchSchedule, _ history: JournalHistory, verb: any BatchVerb) {
    var reports = schedule.entries.map { ItemReport(before: $0) }
    for place in reports.indices where reports[place].outcome == .pending {
      let record = history.record(of: reports[place].name, by: verb.name)
      guard let failure = record?.failure else { continue }
      reports[place].outcome = .failed
      reports[place].failure = failure
    }
    let known = Set(names: reports.map(\.name))
    let gone = history.records
      .filter { $0.state == .done && $0.deletesSources && $0.verb == verb.name }
      .filter { !known.contains($0.item) }
      .sorted { NaturalOrder.precedes($0.item, $1.item) }
    self.init(items: reports + gone.map { ItemReport(ofDeleted: $0) })
  }
}

extension BatchReport {
  /// Checks that `path` is free for a report, unless `rules` allow replacing.
  ///
  /// A resumed batch replaces its own report, but no other file.
  /// - Throws: `inputOutput` if another file exists.
  package static func requireFree(_ path: String, _ rules: BatchRules) throws(CheckpointError) {
    let status = try Syscalls.status(at: path, followingLinks: false)
    guard let status, !rules.replacesExisting else { return }
    if rules.resumes, status.isRegular {
      let file = try FileSource(path: path)
      if try file.bytes(in: 0..<8) == Array("{\"kind\":".utf8) { return }
    }
    throw .occupied(path, status)
  }

  /// Writes the report as JSON lines.
  ///
  /// - Throws: `inputOutput` if that fails, or if a file must not be replaced.
  package func write(
    to path: String, _ rules: BatchRules, _ wording: Remedy.Wording
  ) throws(CheckpointError) {
    try Self.requireFree(path, rules)
    let output = try StagedOutput(path: path, WritingOptions(replacesExisting: true))
    let text = lines(wording).map { "\($0)\n" }.joined()
    var plan = FilePlan()
    plan.append(.literal(Array(text.utf8)))
    try CopyEngine(threadCount: 1).run(plan, into: output)
    try output.commit()
  }
}

/// The outcome of one item.
package struct ItemReport: Sendable {
  /// An outcome.
  package enum Outcome: String, Sendable {
    /// The item was finished in this run.
    case done
    /// The item was finished in an earlier run, and nothing changed since.
    case finished
    /// The item was checked, and problems were found.
    case problem
    /// The item failed.
    case failed
    /// The item was not started, or was stopped with the batch.
    case pending
  }

  /// The path in the tree.
  package var name: String
  /// The path to open.
  package var input: String
  /// The outcome.
  package var outcome: Outcome
  /// The number of bytes to read.
  package var readByteCount = 0
  /// The output files, relative to the root.
  package var outputs: [FileIdentity] = []
  /// The duration in nanoseconds.
  package var duration = 0
  /// The number of attempts.
  package var attempts = 0
  /// Whether the outputs were compared with the input.
  package var isVerified = false
  /// Whether the input was deleted.
  package var isSourceDeleted = false
  /// Warnings for the user.
  package var warnings: [Notice] = []
  /// Hints about options that were not used.
  package var notes: [Notice] = []
  /// The problems, for the outcome ``Outcome/problem``.
  package var problems: [Notice] = []
  /// The reason for a failure.
  package var failure: JournalRecord.Failure?

  /// Creates a report for `item`.
  init(_ item: BatchItem, _ outcome: Outcome) {
    name = item.name
    input = item.input
    readByteCount = item.readByteCount
    self.outcome = outcome
  }

  /// Returns the reason why the item is not simply done, without the path of the input.
  package func reason(_ wording: Remedy.Wording) -> String {
    if let failure { return withoutInput(failure.message) }
    let more = problems.count - 1
    return (problems.first?.sentence(wording) ?? "") + (more > 0 ? " (and \(more) more)" : "")
  }

  private func withoutInput(_ text: String) -> String {
    guard let rest = FilePath.rest(of: text, behind: input) else { return text }
    return String(rest.drop { $0 == "/" || $0 == ":" || $0 == " " })
  }

  /// Records that the input was deleted, or the error that prevented it.
  mutating func noteDeletion(_ error: CheckpointError?) {
    isSourceDeleted = error == nil
    if let error { warnings.append("\(input): not deleted: \(error)") }
  }

  /// The number of bytes written.
  package var writtenByteCount: Int { outputs.reduce(0) { $0 + $1.byteCount } }

  /// Returns the report as one JSON object; `Documentation/batch.md` describes its members.
  package func json(_ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("kind", "item")
    json.member("item", name)
    json.member("input", input)
    json.member("outcome", outcome.rawValue)
    json.member("bytes_read", readByteCount)
    json.member("bytes_written", writtenByteCount)
    json.member("outputs", outputs.map(\.path))
    json.member("milliseconds", duration / 1_000_000)
    json.member("attempts", attempts)
    json.member("verified", isVerified)
    json.member("source_deleted", isSourceDeleted)
    json.member("warnings", warnings.map { $0.sentence(wording) })
    json.member("notes", notes.map { $0.sentence(wording) })
    json.member("problems", problems.map { $0.sentence(wording) })
    json.member("code", failure?.code)
    json.member("message", failure?.message)
    json.member("hint", failure?.remedy.map(wording))
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

extension ItemReport {
  /// Creates the report of an item before this run.
  init(before entry: BatchSchedule.Entry) {
    switch entry.standing {
    case .fresh, .again: self.init(entry.item, .pending)
    case .finished(let record):
      self.init(entry.item, record.problems.isEmpty ? .finished : .problem)
      outputs = record.outputs
      problems = record.problems
      isVerified = record.isVerified
    case .impossible(let error):
      self.init(entry.item, .failed)
      failure = JournalRecord.Failure(error)
    }
  }

  /// Creates the report of a finished item whose input was deleted.
  init(ofDeleted record: JournalRecord) {
    name = record.item
    input = record.inputs.first?.path ?? record.item
    outcome = .finished
    readByteCount = record.inputs.reduce(0) { $0 + $1.byteCount }
    outputs = record.outputs
    isVerified = record.isVerified
    isSourceDeleted = true
  }
}

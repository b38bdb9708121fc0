package import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptCopy
internal import CkptJSON
internal import CkptPlan

/// What became of a batch.
package struct BatchReport: Sendable {
  /// The items, in the order of the plan.
  package var items: [ItemReport]
  /// Which part of the batch this is about; `nil` for all of it.
  package var shard: Shard?
  /// What stopped the batch before its end.
  package var stop: CheckpointError?

  /// A report about these items.
  package init(items: [ItemReport], shard: Shard? = nil, stop: CheckpointError? = nil) {
    self.items = items
    self.shard = shard
    self.stop = stop
  }

  /// How many items ended so.
  package func count(_ outcome: ItemReport.Outcome) -> Int {
    items.count { $0.outcome == outcome }
  }

  /// Whether all items are done, and nothing was found.
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

  /// One line for each item and one for the whole: JSON lines.
  package func lines(_ wording: Remedy.Wording) -> [String] {
    items.map { $0.json(wording) } + [summary]
  }

  private func sum(_ property: KeyPath<ItemReport, Int>) -> Int {
    items.reduce(0) { $0 + ($1.outcome == .done ? $1[keyPath: property] : 0) }
  }
}

extension BatchReport {
  /// What all runs and shards of a batch did together, told by their journals.
  ///
  /// Items whose inputs were deleted after their conversion are known from the journals alone.
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
  /// Whether there is a file at `path` that must stay, as far as `rules` do not say otherwise.
  ///
  /// A batch that goes on replaces the report that it has left there, and no other file.
  /// - Throws: `inputOutput` when there is such a file.
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
  /// - Throws: `inputOutput` when that fails, or there is a file that is not to be replaced.
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
  /// The kind of outcome.
  package enum Outcome: String, Sendable {
    /// It was done in this run.
    case done
    /// It was done in an earlier run and is still so.
    case finished
    /// It was examined, and something was found.
    case problem
    /// It could not be done.
    case failed
    /// It was not begun, or was given up when the batch was stopped.
    case pending
  }

  /// The item's path in the tree.
  package var name: String
  /// The path that opens it.
  package var input: String
  /// The kind of outcome.
  package var outcome: Outcome
  /// The size of what is read, in bytes.
  package var readByteCount = 0
  /// The files that were written, from the root.
  package var outputs: [FileIdentity] = []
  /// How long it took, in nanoseconds.
  package var duration = 0
  /// How often it was tried.
  package var attempts = 0
  /// Whether the outputs were compared with the input.
  package var isVerified = false
  /// Whether the input was deleted.
  package var isSourceDeleted = false
  /// What the user should know.
  package var warnings: [Notice] = []
  /// What could have been done and was not asked for.
  package var notes: [Notice] = []
  /// What was found, for the outcome ``Outcome/problem``.
  package var problems: [Notice] = []
  /// Why it failed.
  package var failure: JournalRecord.Failure?

  /// A report about `item`.
  init(_ item: BatchItem, _ outcome: Outcome) {
    name = item.name
    input = item.input
    readByteCount = item.readByteCount
    self.outcome = outcome
  }

  /// Why it is not simply done, without the path of the input in front.
  package func reason(_ wording: Remedy.Wording) -> String {
    if let failure { return withoutInput(failure.message) }
    let more = problems.count - 1
    return (problems.first?.sentence(wording) ?? "") + (more > 0 ? " (and \(more) more)" : "")
  }

  private func withoutInput(_ text: String) -> String {
    guard let rest = FilePath.rest(of: text, behind: input) else { return text }
    return String(rest.drop { $0 == "/" || $0 == ":" || $0 == " " })
  }

  /// Notes that the input was deleted, or what kept it from being deleted.
  mutating func noteDeletion(_ error: CheckpointError?) {
    isSourceDeleted = error == nil
    if let error { warnings.append("\(input): not deleted: \(error)") }
  }

  /// The bytes that were written.
  package var writtenByteCount: Int { outputs.reduce(0) { $0 + $1.byteCount } }

  /// The report as one JSON object; `Documentation/batch.md` describes its members.
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
  /// A report about an item before anything is done in this run.
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

  /// A report about an item that is done and whose input is gone since.
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

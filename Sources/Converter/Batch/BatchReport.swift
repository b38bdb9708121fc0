package import Bytes
internal import JSON
internal import Plan

/// What became of a batch.
package struct BatchReport: Sendable {
  /// The items, in the order of the plan.
  package var items: [ItemReport]
  /// Which part of the batch this is about; `nil` for all of it.
  package var shard: Shard?
  /// What stopped the batch before its end.
  package var stop: FormatError?

  /// A report about these items.
  package init(items: [ItemReport], shard: Shard? = nil, stop: FormatError? = nil) {
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
  package var lines: [String] { items.map(\.json) + [summary] }

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
    let known = Set(reports.map(\.name))
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
  package static func requireFree(_ path: String, _ rules: BatchRules) throws(FormatError) {
    let status = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.status(at: path, followingLinks: false)
    }
    guard let status, !rules.replacesExisting else { return }
    if rules.resumes, status.isRegular {
      let file = try SourceFile.open(path)
      if try file.bytes(in: 0..<8) == Array("{\"kind\":".utf8) { return }
    }
    throw FormatError(SystemError.occupied(path, status))
  }

  /// Writes the report as JSON lines.
  ///
  /// - Throws: `inputOutput` when that fails, or there is a file that is not to be replaced.
  package func write(to path: String, _ rules: BatchRules) throws(FormatError) {
    try Self.requireFree(path, rules)
    let output = try StagedOutput(path: path, replacing: true)
    let text = lines.map { "\($0)\n" }.joined()
    var plan = FilePlan()
    plan.append(.literal(Array(text.utf8)))
    try CopyEngine(threadCount: 1).run(plan, into: output)
    try output.commit()
  }
}

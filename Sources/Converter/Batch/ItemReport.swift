internal import Bytes
internal import Converter
internal import JSON

/// What became of one item.
package struct ItemReport: Sendable {
  /// How it ended.
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
  /// How it ended.
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
  package var warnings: [String] = []
  /// What could have been done and was not asked for.
  package var notes: [String] = []
  /// What was found, for the outcome ``Outcome/problem``.
  package var problems: [String] = []
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
  package var reason: String {
    if let failure { return withoutInput(failure.message) }
    let more = problems.count - 1
    return (problems.first ?? "") + (more > 0 ? " (and \(more) more)" : "")
  }

  private func withoutInput(_ text: String) -> String {
    guard let rest = FilePath.rest(of: text, behind: input) else { return text }
    return String(rest.drop { $0 == "/" || $0 == ":" || $0 == " " })
  }

  /// Notes that the input was deleted, or what kept it from being deleted.
  mutating func noteDeletion(_ error: SystemError?) {
    isSourceDeleted = error == nil
    if let error { warnings.append("\(input): not deleted: \(error)") }
  }

  /// The bytes that were written.
  package var writtenByteCount: Int { outputs.reduce(0) { $0 + $1.byteCount } }

  /// The report as one JSON object; `Documentation/batch.md` describes its members.
  package var json: String {
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
    json.member("warnings", warnings)
    json.member("notes", notes)
    json.member("problems", problems)
    json.member("code", failure?.code)
    json.member("message", failure?.message)
    json.member("hint", failure?.hint)
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

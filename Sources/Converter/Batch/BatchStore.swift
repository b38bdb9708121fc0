package import Bytes
internal import Plan

/// The hidden directory below a root in which a batch keeps its journal and its locks.
package final class BatchStore: Sendable {
  /// The directory's name.
  package static let directoryName = ".ckptconv-batch"

  /// What has happened below this root before.
  package let history: JournalHistory
  /// The number of this run.
  let run: Int
  /// The root that all this is about.
  let root: String
  /// What the user should know.
  package let warnings: [String]
  private let journal: Journal
  private let locks: RootLock

  /// Takes possession of `root`, or of one shard of it, and begins a run of `verb`.
  ///
  /// - Throws: `inputOutput` when the directory cannot be made or read, or when another batch
  ///   has it.
  package init(root: String, for verb: any BatchVerb, shard: Shard?) throws(FormatError) {
    self.root = root
    let directory = Self.directory(of: root, for: verb)
    _ = try FormatError.wrapping { () throws(SystemError) in
      try Syscalls.makeDirectories(directory)
    }
    locks = try RootLock(of: root, in: directory, shard: shard)
    let name = shard.map { "journal-\($0.index)-of-\($0.count).jsonl" } ?? "journal.jsonl"
    // Opening cuts off what a crash left; then the file is read like all others.
    journal = try Journal(path: FilePath(directory).appending(name).text)
    history = try JournalHistory(readingFrom: directory)
    run = history.lastRun + 1
    var warnings = locks.warnings
    if history.damagedCount > 0 {
      warnings.append(
        "\(directory): lines that were changed do not count: \(history.damagedCount); their items "
          + "are taken for not done")
    }
    self.warnings = warnings
  }

  /// What `verb` has done below `root`, without taking possession of it.
  ///
  /// - Throws: `inputOutput` when a journal cannot be read, `malformed` when it is none.
  package static func history(
    of root: String, for verb: any BatchVerb
  ) throws(FormatError) -> JournalHistory {
    try JournalHistory(readingFrom: directory(of: root, for: verb))
  }

  /// Writes records down; they are on the disk when this returns.
  ///
  /// - Throws: `inputOutput` when that fails.
  func append(_ records: [JournalRecord]) throws(FormatError) {
    guard !records.isEmpty else { return }
    let time = Syscalls.secondsSince1970()
    try journal.append(
      records.map { record in
        var record = record
        record.run = run
        record.time = time
        return record.line
      })
  }

  /// The path of a file from the root.
  func nameBelowRoot(_ path: String) -> String {
    let prefix = FilePath(root).appending("").text
    return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
  }

  /// Where the files of a batch lie.
  ///
  /// Verbs that write share a place, since their outputs do. One that only looks has its own: what it
  /// found says nothing of who wrote what it looked at.
  static func directory(of root: String, for verb: any BatchVerb) -> String {
    let place = FilePath(root).appending(directoryName)
    return verb.writes ? place.text : place.appending(verb.name).text
  }
}

package import CkptBase
internal import CkptPlan

/// The hidden directory below a root with the journal and the locks of a batch.
package final class BatchStore: Sendable {
  /// The name of the directory.
  package static let directoryName = ".ckptconv-batch"

  /// The history of this root.
  package let history: JournalHistory
  /// The number of this run.
  let run: Int
  /// The root.
  let root: String
  /// Warnings for the user.
  package let warnings: [String]
  private let journal: Journal
  private let locks: RootLock
  private let wording: Remedy.Wording

  /// Locks `root`, or one shard of it, and starts a run of `verb`.
  ///
  /// `wording` turns the remedies in its journal into words.
  ///
  /// - Throws: `inputOutput` if the directory cannot be created or read, or if another batch uses
  ///   it.
  package init(
    root: String, for verb: any BatchVerb, shard: Shard?, _ wording: @escaping Remedy.Wording
  ) throws(CheckpointError) {
    self.root = root
    self.wording = wording
    let directory = Self.directory(of: root, for: verb)
    _ = try Syscalls.makeDirectories(directory)
    locks = try RootLock(of: root, in: directory, shard: shard)
    let name = shard.map { "journal-\($0.index)-of-\($0.count).jsonl" } ?? "journal.jsonl"
    // Opening removes the remains of a crash. Then the file is read like all others.
    journal = try Journal(path: FilePath(directory).appending(name).text)
    history = try JournalHistory(readingFrom: directory)
    run = history.lastRun + 1
    var warnings = locks.warnings
    if history.damagedCount > 0 {
      warnings.append(
        "\(directory): \(history.damagedCount) lines were changed and are ignored; their items "
          + "count as not done")
    }
    self.warnings = warnings
  }

  /// Returns the history of `verb` below `root`, without locking it.
  ///
  /// - Throws: `inputOutput` if a journal cannot be read, `malformed` for another file.
  package static func history(
    of root: String, for verb: any BatchVerb
  ) throws(CheckpointError) -> JournalHistory {
    try JournalHistory(readingFrom: directory(of: root, for: verb))
  }

  /// Appends records.
  ///
  /// They are on the disk when this returns.
  ///
  /// - Throws: `inputOutput` if that fails.
  func append(_ records: [JournalRecord]) throws(CheckpointError) {
    guard !records.isEmpty else { return }
    let time = Syscalls.secondsSince1970()
    try journal.append(
      records.map { record in
        var record = record
        record.run = run
        record.time = time
        return record.line(wording)
      })
  }

  /// Returns the path of a file relative to the root.
  func nameBelowRoot(_ path: String) -> String {
    let prefix = FilePath(root).appending("").text
    return path.begins(with: prefix) ? path.droppingFirst(prefix.utf8.count) : path
  }

  /// Returns the state directory of a batch.
  ///
  /// Verbs that write share a directory, because they share their outputs. A verb that only reads
  /// has its own: its results do not say who wrote the files.
  static func directory(of root: String, for verb: any BatchVerb) -> String {
    let place = FilePath(root).appending(directoryName)
    return verb.writes ? place.text : place.appending(verb.name).text
  }
}

/// The lock on a root: one batch holds it, or the shards of one batch share it.
struct RootLock: Sendable {
  /// Warnings for the user.
  let warnings: [String]
  private let held: [LockFile]

  /// Takes the locks of `root`, which are in `directory`.
  ///
  /// - Throws: `inputOutput` if another batch holds them, or if locking fails.
  init(of root: String, in directory: String, shard: Shard?) throws(CheckpointError) {
    do throws(CheckpointError) {
      held = try Self.take(root, FilePath(directory), shard)
      warnings = []
    } catch {
      guard error.cause?.isUnsupported == true else { throw error }
      held = []
      warnings = [
        "\(directory): this file system has no locks; make sure that no other batch writes here"
      ]
    }
  }

  private static func take(
    _ root: String, _ directory: FilePath, _ shard: Shard?
  ) throws(CheckpointError) -> [LockFile] {
    let whole = try LockFile(path: directory.appending("lock").text)
    guard try whole.take(shard == nil ? .exclusive : .shared) else {
      throw busy(root, shard == nil ? "a batch" : "a batch that is not divided into shards")
    }
    guard let shard else { return [whole] }
    let own = "shard-\(shard.index)-of-\(shard.count).lock"
    let task = try LockFile(path: directory.appending(own).text)
    guard try task.take(.exclusive) else {
      throw busy(root, "another process with shard \(shard)")
    }
    try refuseOtherDivisions(root, directory, shard.count)
    return [whole, task]
  }

  /// Refuses shards of another count, which would process the same items twice.
  private static func refuseOtherDivisions(
    _ root: String, _ directory: FilePath, _ count: Int
  ) throws(CheckpointError) {
    let names = try directory.entryNames()
    for name in names where name.hasPrefix("shard-") && name.hasSuffix(".lock") {
      guard !name.hasSuffix("-of-\(count).lock") else { continue }
      let other = try LockFile(path: directory.appending(name).text)
      guard try other.take(.exclusive) else {
        throw busy(root, "a batch that is divided into another number of shards")
      }
    }
  }

  private static func busy(_ root: String, _ who: String) -> CheckpointError {
    CheckpointError(
      .inputOutput, "\(who) is running here",
      remedy: .text("wait until it ends", .shareByShards)
    ).framed(by: root)
  }
}

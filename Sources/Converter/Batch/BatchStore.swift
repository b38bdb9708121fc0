package import CkptBase
internal import CkptPlan

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
  private let wording: Remedy.Wording

  /// Takes possession of `root`, or of one shard of it, and begins a run of `verb`, in whose journal
  /// remedies are in the words of `wording`.
  ///
  /// - Throws: `inputOutput` when the directory cannot be made or read, or when another batch
  ///   has it.
  package init(
    root: String, for verb: any BatchVerb, shard: Shard?, _ wording: @escaping Remedy.Wording
  ) throws(CheckpointError) {
    self.root = root
    self.wording = wording
    let directory = Self.directory(of: root, for: verb)
    _ = try Syscalls.makeDirectories(directory)
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
  ) throws(CheckpointError) -> JournalHistory {
    try JournalHistory(readingFrom: directory(of: root, for: verb))
  }

  /// Writes records down; they are on the disk when this returns.
  ///
  /// - Throws: `inputOutput` when that fails.
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

  /// The path of a file from the root.
  func nameBelowRoot(_ path: String) -> String {
    let prefix = FilePath(root).appending("").text
    return path.begins(with: prefix) ? path.droppingFirst(prefix.utf8.count) : path
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

/// The right to write below a root: one batch has it, or the shards of one batch share it.
struct RootLock: Sendable {
  /// What the user should know.
  let warnings: [String]
  private let held: [LockFile]

  /// Takes the locks of `root` that lie in `directory`.
  ///
  /// - Throws: `inputOutput` when another batch has them, or when that cannot be told.
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

  /// Shards of different counts would do the same items twice.
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

internal import Bytes
internal import Plan

/// The right to write below a root: one batch has it, or the shards of one batch share it.
struct RootLock: Sendable {
  /// What the user should know.
  let warnings: [String]
  private let held: [LockFile]

  /// Takes the locks of `root` that lie in `directory`.
  ///
  /// - Throws: `inputOutput` when another batch has them, or when that cannot be told.
  init(of root: String, in directory: String, shard: Shard?) throws(FormatError) {
    do throws(FormatError) {
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
  ) throws(FormatError) -> [LockFile] {
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
  ) throws(FormatError) {
    let names = try directory.entryNames()
    for name in names where name.hasPrefix("shard-") && name.hasSuffix(".lock") {
      guard !name.hasSuffix("-of-\(count).lock") else { continue }
      let other = try LockFile(path: directory.appending(name).text)
      guard try other.take(.exclusive) else {
        throw busy(root, "a batch that is divided into another number of shards")
      }
    }
  }

  private static func busy(_ root: String, _ who: String) -> FormatError {
    FormatError(
      .inputOutput, "\(who) is running here",
      hint: "wait until it ends; tasks of one batch share a directory with --shard I/N"
    ).framed(by: root)
  }
}

package import CkptBase
internal import CkptCopy
internal import CkptPlan

/// The items of a run with what is to happen to each.
package struct BatchSchedule: Sendable {
  /// An item and where it stands.
  package struct Entry: Sendable {
    /// The item.
    package var item: BatchItem
    /// Where it stands.
    package var standing: ResumeState
  }

  /// The items in the order of the plan.
  package let entries: [Entry]
  /// The shard that these items are; `nil` for all of the batch.
  package let shard: Shard?

  /// Compares a plan with what has happened before.
  package init(
    _ plan: BatchPlan, _ history: JournalHistory, verb: any BatchVerb, root: String?,
    _ rules: BatchRules, shard: Shard? = nil
  ) {
    let check = ResumeCheck(root: root, verb: verb.name, rules: rules)
    entries = plan.items.map { Entry(item: $0, standing: check.standing(of: $0, in: history)) }
    self.shard = shard
  }

  /// The numbers of the items that are to be done.
  package var open: [Int] {
    entries.indices.filter { index in
      switch entries[index].standing {
      case .fresh, .again: true
      case .finished, .impossible: false
      }
    }
  }

  /// The items that cannot be done, and why.
  package var faults: [(item: BatchItem, error: CheckpointError)] {
    entries.compactMap { entry in
      guard case .impossible(let error) = entry.standing else { return nil }
      return (entry.item, error)
    }
  }

  /// The bytes that the items to be done read.
  package var readByteCount: Int { open.reduce(0) { $0 + entries[$1].item.readByteCount } }

  /// The bytes that the items to be done will write, found out by reading their structure; items
  /// that cannot be read are left out and named.
  package func measured() -> (byteCount: Int, faults: [(item: BatchItem, error: CheckpointError)]) {
    var byteCount = 0
    var faults: [(item: BatchItem, error: CheckpointError)] = []
    for index in open {
      let item = entries[index].item
      do throws(CheckpointError) {
        byteCount += try item.work.get().measure()
      } catch {
        faults.append((item, error))
      }
    }
    return (byteCount, faults)
  }

  /// Makes sure that what will be written fits the file system of `root`.
  ///
  /// Outputs are about as large as inputs. Only where that would be close are all of them measured,
  /// which reads the structure of every input.
  /// - Throws: `inputOutput` with both numbers when it does not fit.
  package func requireSpace(below root: String) throws(CheckpointError) {
    let place = try Self.existing(FilePath(root))
    let available = try Syscalls.availableBytes(at: place)
    guard let available, readByteCount > available / 2 else { return }
    try FreeSpace.require(measured().byteCount, in: place)
  }

  /// The bytes that are free where `root` is, or will be; `nil` where the system does not say.
  ///
  /// - Throws: `inputOutput` when it cannot be told.
  package static func availableBytes(below root: String) throws(CheckpointError) -> Int? {
    let place = try existing(FilePath(root))
    return try Syscalls.availableBytes(at: place)
  }

  /// The innermost directory of a path that is there already.
  private static func existing(_ path: FilePath) throws(CheckpointError) -> String {
    var place = path
    while try place.status() == nil, place.text != ".", place.text != "/" {
      place = place.directory
    }
    return place.text
  }
}

package import CkptBase
internal import CkptCopy
internal import CkptPlan

/// The items of a run, with the action for each.
package struct BatchSchedule: Sendable {
  /// An item and its state.
  package struct Entry: Sendable {
    /// The item.
    package var item: BatchItem
    /// The state before the run.
    package var standing: ResumeState
    /// Whether it failed in the run that this one continues.
    var hasFailed = false
  }

  /// The items, in the order of the plan.
  package private(set) var entries: [Entry]
  /// The shard of these items; `nil` for the whole batch.
  package let shard: Shard?

  /// Compares a plan with the history.
  package init(
    _ plan: BatchPlan, _ history: JournalHistory, verb: any BatchVerb, root: String?,
    _ rules: BatchRules, shard: Shard? = nil
  ) {
    let check = ResumeCheck(
      root: root, verb: verb.name, outputVersion: verb.outputVersion, rules: rules)
    entries = plan.items.map { item in
      var entry = Entry(item: item, standing: check.standing(of: item, in: history))
      entry.hasFailed =
        rules.resumes && history.record(of: item.name, by: verb.name)?.state == .failed
      return entry
    }
    self.shard = shard
  }

  /// The numbers of the items to process.
  ///
  /// Items that failed before come last. Otherwise a run that stops at the first failure would never
  /// get past them.
  package var open: [Int] {
    let open = entries.indices.filter { index in
      switch entries[index].standing {
      case .fresh, .again: true
      case .finished, .impossible: false
      }
    }
    return open.filter { !entries[$0].hasFailed } + open.filter { entries[$0].hasFailed }
  }

  /// The items that cannot be processed, with the reason.
  package var faults: [(item: BatchItem, error: CheckpointError)] {
    entries.compactMap { entry in
      guard case .impossible(let error) = entry.standing else { return nil }
      return (entry.item, error)
    }
  }

  /// The number of bytes that the items to process read.
  package var readByteCount: Int { open.reduce(0) { $0 + entries[$1].item.readByteCount } }

  /// Returns the number of bytes that each item will write, or the error that prevents it.
  ///
  /// It reads the structure of several inputs at once.
  ///
  /// - Returns: the results, by item number.
  func measurements() -> [Int: Result<Int, CheckpointError>] {
    let open = open
    let state = Monitor((next: 0, results: [Int: Result<Int, CheckpointError>]()))
    Syscalls.concurrently(min(Syscalls.availableProcessors(), max(open.count, 1))) {
      while true {
        let place = state.change { state in
          defer { state.next += 1 }
          return state.next
        }
        guard place < open.count else { return }
        let item = entries[open[place]].item
        let result = Result { () throws(CheckpointError) in try item.work.get().measure() }
        state.change { $0.results[open[place]] = result }
      }
    }
    return state.change { $0.results }
  }

  /// This schedule, in which items whose structure cannot be read are impossible.
  package func examined() -> BatchSchedule {
    var schedule = self
    for (index, result) in measurements() {
      guard case .failure(let error) = result else { continue }
      schedule.entries[index].standing = .impossible(error)
    }
    return schedule
  }

  /// Checks that the outputs fit the file system of `root`.
  ///
  /// Outputs are about as large as inputs. Only if space is tight are all items measured, which
  /// reads the structure of every input.
  /// - Throws: `inputOutput` with both numbers if they do not fit.
  package func requireSpace(below root: String) throws(CheckpointError) {
    let place = try Self.existing(FilePath(root))
    let available = try Syscalls.availableBytes(at: place)
    guard let available, readByteCount > available / 2 else { return }
    let byteCount = measurements().values.reduce(0) { $0 + ((try? $1.get()) ?? 0) }
    try FreeSpace.require(byteCount, in: place)
  }

  /// Returns the free space at `root`, which does not have to exist, in bytes; `nil` if it is
  /// unknown.
  ///
  /// - Throws: `inputOutput` if it cannot be read.
  package static func availableBytes(below root: String) throws(CheckpointError) -> Int? {
    let place = try existing(FilePath(root))
    return try Syscalls.availableBytes(at: place)
  }

  /// Returns the innermost existing directory of a path.
  private static func existing(_ path: FilePath) throws(CheckpointError) -> String {
    var place = path
    while try place.status() == nil, place.text != ".", place.text != "/" {
      place = place.directory
    }
    return place.text
  }
}

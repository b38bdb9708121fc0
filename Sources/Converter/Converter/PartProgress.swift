/// One progress of parts that are done one after the other, each of which counts by its size.
package struct PartProgress: Sendable {
  private let report: @Sendable (_ done: Int, _ total: Int) -> Void
  private var waiting: ArraySlice<Int>
  private var finishedByteCount = 0
  private let byteCount: Int

  /// Parts of these sizes in bytes, none of which is begun.
  package init(
    _ byteCounts: [Int], report: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) {
    self.report = report
    waiting = byteCounts[...]
    byteCount = byteCounts.reduce(0, +)
  }

  /// What the next part is to tell its own progress.
  package mutating func next() -> @Sendable (_ done: Int, _ total: Int) -> Void {
    let (before, size) = (finishedByteCount, waiting.popFirst() ?? 0)
    finishedByteCount += size
    return { [report, byteCount] done, total in
      guard total > 0 else { return }
      let part = Int(Double(size) * min(1, Double(done) / Double(total)))
      report(before + part, byteCount)
    }
  }
}

internal import Bytes
internal import Comparison
internal import Formats
internal import Plan

/// Reads an output again before it has its name, and compares it with what it was made from.
enum OutputVerification {
  /// Makes sure that `written` holds what the source of `item` does.
  ///
  /// An output that cannot hold all of it is compared byte by byte with what was to be written.
  /// - Throws: `conflict` where something differs, and what reading both throws.
  static func require(
    _ item: PreparedOutput, in written: SourceFile, budget: CopyBudget,
    progress: @escaping CopyEngine.Progress
  ) throws(FormatError) {
    guard let source = item.source, item.holdsAll else {
      let output = try ComparingOutput(expecting: written)
      try CopyEngine(budget, progress: progress).run(item.plan, into: output)
      guard output.differences.isEmpty, written.byteCount == item.plan.byteCount else {
        throw mismatch("its bytes differ")
      }
      return
    }
    let comparison = try CheckpointComparison(
      source, CheckpointFile.read(written), budget: budget, progress: progress)
    guard let first = comparison.differences.first.first else { return }
    let sides = [first.first, first.second].map { $0 ?? "nothing" }.joined(separator: " became ")
    let others = comparison.differences.count - 1
    throw mismatch(
      "'\(first.place)' differs in \(first.kind.rawValue): \(sides)"
        + (others > 0 ? ", and \(others) more differences" : ""))
  }

  private static func mismatch(_ text: String) -> FormatError {
    FormatError(
      .conflict, "what was written is not what was read: \(text)",
      hint: "nothing is left of it; if it happens again, test the memory and the disk of this "
        + "machine, and report it as a bug if both are in order")
  }
}

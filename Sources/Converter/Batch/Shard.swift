package import Bytes

/// One of several parts of a batch, each the task of another process.
package struct Shard: Hashable, Sendable {
  /// Which part it is, from 1.
  package let index: Int
  /// How many parts there are.
  package let count: Int

  /// The largest number of parts; Slurm's own default limit of an array is 1001.
  package static let maximumCount = 100_000

  /// Part `index` of `count`, or `nil` if there is no such part.
  package init?(index: Int, of count: Int) {
    guard (1...Self.maximumCount).contains(count), (1...count).contains(index) else { return nil }
    self.index = index
    self.count = count
  }

  /// Reads `3/8`.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]) else { return nil }
    self.init(index: index, of: count)
  }

  /// The part that a task of a Slurm job array stands for; `nil` outside of one.
  ///
  /// Tasks are numbered from any number in any step (`--array=10-40:10`), which are told in
  /// `SLURM_ARRAY_TASK_MIN` and `SLURM_ARRAY_TASK_STEP` (sbatch(1), "output environment variables").
  /// - Throws: `unsupported` when the numbers have no regular distance (`--array=1,5,7`).
  package static func ofSlurmTask(
    _ environment: (String) -> String?
  ) throws(FormatError) -> Shard? {
    func number(_ name: String) -> Int? {
      environment("SLURM_ARRAY_TASK_\(name)").flatMap { Int($0) }
    }
    guard let id = number("ID"), let count = number("COUNT") else { return nil }
    let first = number("MIN") ?? 0
    let step = max(number("STEP") ?? 1, 1)
    let (steps, rest) = id.subtractingReportingOverflow(first).partialValue
      .quotientAndRemainder(dividingBy: step)
    let last = number("MAX") ?? id
    let isRegular =
      rest == 0 && last.subtractingReportingOverflow(first).partialValue / step == count - 1
    guard isRegular, let shard = Shard(index: steps &+ 1, of: count) else {
      throw FormatError(
        .unsupported,
        "task \(id) of a job array of \(count) tasks whose numbers have no regular distance",
        hint: "say which part this is, such as --shard 3/8, or --shard 1/1 for all of it")
    }
    return shard
  }
}

extension Shard: CustomStringConvertible {
  /// `3/8`.
  package var description: String { "\(index)/\(count)" }
}

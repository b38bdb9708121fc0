internal import CkptBase
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptFormats
internal import CkptStats

/// The options of `ckptconv stats`.
struct StatsOptions: Sendable {
  var measuring = StatisticsOptions()
  /// The directory that keeps the statistics of each checkpoint.
  var directory: String?
  var html: String?
  var csv: String?
  var metrics: String?
  var writing = WritingOptions()
  var grouping: StatisticsGrouping?
  var sort: String?
  var limit: Int?
  var columns: [String]?
  /// The names of the rows to list.
  var names = NameFilter()
  var failure: StatsFailure?

  /// The flags that decide what statistics hold, as text.
  var settings: String { measuring.part.map { "--part=\($0.rawValue)" } ?? "" }

  /// Refuses columns that no table has, and a log without a report to show it.
  func check() throws(UsageError) {
    if metrics != nil, html == nil {
      throw UsageError("--metrics needs --html", hint: "the report shows the loss of the log")
    }
    let known = StatisticsTable.allColumns
    for (flag, keys) in [("columns", columns ?? []), ("sort", sort.map { [$0] } ?? [])] {
      for key in keys where !known.contains(key) {
        throw .badChoice(of: flag, among: known, found: key)
      }
    }
  }
}

extension StatsOptions {
  /// The flags that are about what is shown, which a batch does not.
  static let listingFlags = Set(shownFlags.map(\.flag.long))

  static let flags: [BoundFlag<StatsOptions>] =
    [
      .path(
        "output", short: "o", "DIR", \.directory, in: .output,
        "keep the statistics of each checkpoint in DIR",
        manual: """
          Keeps the statistics of each checkpoint below the directory DIR, in a file with the path of the
          checkpoint and `.stats.json` behind it. A journal, as a batch has it, says what was measured:
          checkpoints whose files have not changed are not read again.
          """),
      .choice(
        "part", "PART", \.measuring.part, in: .content, "measure the model or the optimizer only",
        manual: "The only part of a checkpoint that is read. The default is both."),
      .dropUnsafe(\.measuring.reading.dropsUnsafe),
    ] + shownFlags

  private static let shownFlags: [BoundFlag<StatsOptions>] =
    [
      .path(
        "html", "FILE", \.html, in: .output, "write a report to FILE, as HTML",
        manual: """
          Writes a report of all checkpoints to FILE: findings, charts over the steps, maps by block, the
          way through weight space, distributions and tables. The file is complete and loads nothing;
          it can be read without scripts, printed and sent.
          """),
      .path(
        "csv", "FILE", \.csv, in: .output, "write all numbers to FILE as CSV",
        manual: """
          Writes one line for each step and tensor, with all numbers, to FILE.
          """),
      .toggle(
        "force", \.writing.replacesExisting, in: .output, "replace files that exist",
        manual: "Without it a file that exists is never replaced."),
      .path(
        "metrics", "FILE", \.metrics, in: .content, "show the loss of a training log in the report",
        manual: """
          A training log for the report: CSV with a line of names, or JSON with an object on each line.
          The step is named `step` or `_step`, and a loss has a name that ends in `loss` or
          `CrossEntropyLoss`, as in exports of wandb and in `metrics.json` of OLMo-core.
          """),
      .choice(
        "by", "GROUP", \.grouping, in: .listing, "list tensors, blocks or modules",
        manual: """
          Lists the numbers of each checkpoint by tensor, or those of each block or module together. The
          default is `tensor` for one checkpoint, and one line for each of several.
          """),
      .text(
        "sort", "COLUMN", \.sort, needs: "the name of a column", in: .listing,
        "order rows by a column, the largest first",
        manual: """
          Orders rows by a column: numbers from the largest on, text from the first letter on. The
          default is the order of the file.
          """
      ) { $0 },
      .number(
        "limit", "N", \.limit, atLeast: 1, in: .listing, "list the first N rows only",
        manual: "How many rows are listed. The default is all of them."),
      .text(
        "columns", "LIST", \.columns, needs: "names with commas between them", in: .listing,
        "show these columns: names of JSON, with commas",
        manual: """
          The columns to show, by the names that JSON has for them, such as `name,rms,kurtosis`. See
          Documentation/stats.md for all of them.
          """
      ) { $0.split(separator: ",").map(String.init) },
      .patterns(
        "only", \.names.only, in: .listing, "list only tensors with matching names",
        manual: """
          Lists only the tensors whose names match one of the patterns, which are separated by commas.
          `*` stands for any characters, `?` for one. All tensors are measured and judged.
          """),
      .choice(
        "fail-on", "SEVERITY", \.failure, in: .listing,
        "exit with 1 for a problem, a warning or never",
        manual: """
          The least severity of a finding for which the exit code is 1. The default is `problem`.
          """),
    ]
}

/// The findings that make the exit code 1.
enum StatsFailure: String, FlagChoice {
  case problem, warning, never

  var meaning: String {
    switch self {
    case .problem: "a problem"
    case .warning: "a problem or a warning"
    case .never: "none"
    }
  }

  /// The severities that count.
  var severities: [Finding.Severity] {
    switch self {
    case .problem: [.problem]
    case .warning: [.problem, .warning]
    case .never: []
    }
  }
}

extension StatisticsGrouping: FlagChoice {
  var meaning: String {
    switch self {
    case .tensor: "each tensor"
    case .block: "each block, and what is outside of blocks"
    case .module: "embedding, attention, mlp, norm, head and other"
    }
  }
}

extension CheckpointStatistics.Part: FlagChoice {
  var meaning: String {
    switch self {
    case .model: "the weights"
    case .optim: "the optimizer's state"
    }
  }
}

internal import CkptBatch
internal import CkptCopy

/// The flags of a batch that do not depend on the verb.
struct BatchOptions: Sendable {
  var root: String?
  var list: String?
  var includesFiles = false
  var isDryRun = false
  private var rules = BatchRules()
  private var retries: Int?
  private var jobs: Int?
  var shard: Shard?
  var mergesReports = false
  var report: String?

  /// Options of which none has been given.
  init() {}

  /// Options to keep outputs up to date below a directory.
  init(updating root: String) {
    self.root = root
    rules.resumes = true
    rules.keepsGoing = true
  }

  /// Refuses flags that exclude each other, and a batch without the inputs or the root it needs.
  func check(_ operands: [String], writing verb: any BatchVerb) throws(UsageError) {
    if operands.isEmpty, list == nil {
      throw UsageError("no input given: pass INPUT... or --from LIST")
    }
    if root == nil, verb.needsRoot || rules.resumes || mergesReports || shard != nil {
      throw UsageError(
        "batch \(verb.name) needs --output ROOT",
        hint: verb.writes
          ? "ROOT is the directory for the outputs and the journal"
          : verb.comparesWithRoot
            ? "ROOT is the directory to compare the inputs with"
            : "ROOT is the directory for the journal")
    }
    if rules.deletesSources, !verb.verifies {
      throw verb.canVerify
        ? UsageError(
          "--delete-source needs --verify",
          hint: "inputs are deleted only after their outputs were compared with them")
        : UsageError(
          "--delete-source cannot be used with \(verb.name)",
          hint: "only conversions with --verify can delete their inputs")
    }
    if report != nil, isDryRun {
      throw .conflict("--report", "--dry-run", because: "a dry run has nothing to report")
    }
    if mergesReports, isDryRun {
      throw .conflict("--merge-reports", "--dry-run", because: "use one of them")
    }
  }

  /// Returns the same choices for the library.
  func rules(settings: String, budget: CopyBudget) -> BatchRules {
    var rules = rules
    rules.settings = settings
    rules.jobs = jobs ?? 1
    rules.budget = budget
    rules.resumes = rules.resumes || mergesReports
    rules.retries = retries ?? 0
    return rules
  }
}

extension BatchOptions {
  static let flags: [BoundFlag<BatchOptions>] = inputFlags + runFlags + reportFlags

  private static let inputFlags: [BoundFlag<BatchOptions>] = [
    .path(
      "output", short: "o", "ROOT", \.root, in: .output, "write into the directory ROOT",
      manual: """
        The root directory of the output tree; it is created if needed. An output has the same path
        below ROOT as its input below the common directory of all inputs. That is the searched
        directory, the part of a pattern before its first special character, or the parent of a file
        or checkpoint directory. For `verify` ROOT is the tree to compare with; for `roundtrip` and
        `check` it only holds the journal.
        """),
    .toggle(
      "force", \.rules.replacesExisting, in: .output, "replace existing outputs",
      manual: """
        Without this flag an existing file is never replaced, unless a resumed batch wrote it
        itself.
        """),
    .path(
      "from", "LIST", \.list, in: .batch, "read inputs from a list, or from a CSV file of OLMo",
      manual: """
        Reads more inputs from a file: one path or pattern for each line. Empty lines and lines that
        begin with `#` are skipped. If the first line has a column "Checkpoint Directory", the file
        is a table of OLMo checkpoints (CSV) and that column is used. A URL stands for its local
        copy, as `wget -x` or `wget -x -nH` saves it; a URL without a local copy is refused.
        """),
    .toggle(
      "files", \.includesFiles, in: .batch, "include single files in searched directories",
      manual: """
        Includes single files in searched directories, not only checkpoint directories. A file is
        included if its content or its name fits the verb, so a damaged file is not skipped
        silently.
        """),
    .toggle(
      "dry-run", \.isDryRun, in: .batch, "print the plan and exit",
      manual: """
        Prints the plan: items, bytes in and out, free space, and errors. The structure of every
        input is read, but no tensor data, and nothing is written.
        """),
  ]

  private static let runFlags: [BoundFlag<BatchOptions>] = [
    .number(
      "jobs", short: "j", "N", \.jobs, atLeast: 1, atMost: 64, in: .batch,
      "process N items at once",
      manual: """
        The number of items to process at once; the default is one. They share the threads of
        `--threads` and the memory of one item. Each item adds the memory for its own structure:
        about 2 MiB for 1000 tensors.
        """),
    .toggle(
      "resume", \.rules.resumes, in: .batch, "skip the items of earlier runs and continue",
      manual: """
        Continues the batch of the journal below ROOT. An item is skipped if the size and the
        modification time of its input and outputs are unchanged. Outputs that an interrupted run
        left unfinished are written again.
        """),
    .toggle(
      "checksum", \.rules.hashesInputs, in: .batch, "recognize inputs by SHA-256, not by time",
      manual: """
        Records the SHA-256 of inputs in the journal and compares it on resume, so that an input
        that was copied or touched counts as unchanged. Every input is read once more.
        """),
    .toggle(
      "keep-going", short: "k", \.rules.keepsGoing, in: .batch, "continue after an item failed",
      manual: """
        Processes all items that can be processed. Without this flag, the first failure stops the
        batch after the running items. A full disk always stops it. Problems that a verb finds never
        stop it.
        """),
    .number(
      "retries", "N", \.retries, atLeast: 0, atMost: 100, in: .batch,
      "retry after input or output errors",
      manual: """
        The number of times to retry an item after an input or output error that can be temporary.
        The first pause is a quarter of a second, and each next one is twice as long. A missing or
        damaged file is not retried.
        """),
    .toggle(
      "delete-source", \.rules.deletesSources, in: .batch,
      "delete inputs after verification (needs --verify)",
      manual: """
        Deletes the input files of an item after its outputs were compared with them, are safely on
        the disk and in the journal.
        """),
    .text(
      "shard", "I/N", \.shard, needs: "a part such as 3/8", in: .batch,
      "process part I of N; automatic in a Slurm array",
      manual: """
        Divides the batch into N parts of about the same number of bytes and processes part I,
        counted from 1. Processes with different parts can run below one ROOT at the same time. In a
        task of a Slurm job array, `SLURM_ARRAY_TASK_ID` and the related variables set I and N,
        unless this flag does. `1/1` means the whole batch.
        """
    ) { Shard($0) },
  ]

  private static let reportFlags: [BoundFlag<BatchOptions>] = [
    .toggle(
      "merge-reports", \.mergesReports, in: .batch, "print one result for all parts and exit",
      manual: """
        Prints the combined result of all runs and parts from their journals: the items that are
        done, failed (with the reason) or not done yet. Nothing is converted. The exit code is that
        of the whole batch.
        """),
    .path(
      "report", "FILE", \.report, in: .batch, "write a report to FILE as JSON lines",
      manual: """
        Writes one JSON object for each item and one for the whole batch to FILE at the end, in the
        format of `--json`. See Documentation/batch.md.
        """),
  ]
}

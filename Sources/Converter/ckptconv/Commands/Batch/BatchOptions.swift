internal import CkptBatch
internal import CkptCopy

/// What a batch can be told, whatever its verb.
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

  /// Refuses what excludes each other, and a batch without what its verb needs.
  func check(_ operands: [String], writing verb: any BatchVerb) throws(UsageError) {
    if operands.isEmpty, list == nil {
      throw UsageError("batch \(verb.name) takes INPUT... or --from LIST, found neither")
    }
    if root == nil, verb.needsRoot || rules.resumes || mergesReports || shard != nil {
      throw UsageError(
        "batch \(verb.name) needs --output ROOT",
        hint: verb.writes
          ? "the outputs are written into a tree below ROOT, and the journal lies there"
          : verb.comparesWithRoot
            ? "the inputs are compared with the tree below ROOT"
            : "the journal of the batch lies below ROOT")
    }
    if rules.deletesSources, !verb.verifies {
      throw verb.canVerify
        ? UsageError(
          "--delete-source needs --verify", hint: "what nobody has compared is not deleted")
        : UsageError(
          "--delete-source does not go with \(verb.name), whose inputs are kept",
          hint: "only conversions with --verify know that an input can be made again")
    }
    if report != nil, isDryRun {
      throw .conflict("--report", "--dry-run", because: "nothing is done that could be reported")
    }
    if mergesReports, isDryRun {
      throw .conflict("--merge-reports", "--dry-run", because: "neither converts anything")
    }
  }

  /// The same for the batch itself.
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
      "output", short: "o", "ROOT", \.root, in: .output, "write below the directory ROOT",
      manual: """
        The directory that the output tree begins in; it is made where it does not exist. The path of
        an output below it is that of its input below the directory that all inputs have in common:
        the one that was searched, the part of a pattern before its first special character, or the
        one that holds a file or directory that was named itself. For `verify` it is the tree that
        inputs are compared with, and for `roundtrip` and `check` only the place of the journal.
        """),
    .toggle(
      "force", \.rules.replacesExisting, in: .output, "replace outputs that exist",
      manual: """
        Without it a file that exists is never replaced, except by a batch that has made it itself and
        resumes.
        """),
    .path(
      "from", "LIST", \.list, in: .batch, "take inputs from a list or a CSV of OLMo's steps",
      manual: """
        Takes inputs from a file as well: one path or pattern on each line, empty lines and those that
        begin with `#` left out. If its first line has a column "Checkpoint Directory", it is a table
        of OLMo's checkpoints (CSV), and that column counts. A URL stands for its local copy, as
        `wget -x` or `wget -x -nH` leaves it; without one it is refused.
        """),
    .toggle(
      "files", \.includesFiles, in: .batch, "take single files in directories too",
      manual: """
        In directories that are searched, takes single files of the verb's kind too, and not only
        checkpoint directories. The content decides, and names that end like such a file, so that a
        damaged one is not passed over.
        """),
    .toggle(
      "dry-run", \.isDryRun, in: .batch, "print the plan and do nothing",
      manual: """
        Prints what would be done: items, bytes in and out, free space, and what is wrong with the
        plan. The structure of every input is read, no tensors, and nothing is written.
        """),
  ]

  private static let runFlags: [BoundFlag<BatchOptions>] = [
    .number(
      "jobs", short: "j", "N", \.jobs, atLeast: 1, atMost: 64, in: .batch, "do N items at once",
      manual: """
        How many items are worked on at once; the default is one. They share the threads of
        `--threads` and the memory of one item, except that each holds its own structure: some 2 MiB
        for every 1000 tensors.
        """),
    .toggle(
      "resume", \.rules.resumes, in: .batch, "skip what an earlier run has done, go on",
      manual: """
        Goes on with the batch that the journal below ROOT tells of. An item is skipped if its input
        and its outputs are what they were by size and time of change. Outputs of an item that was
        being done when the run ended are made anew.
        """),
    .toggle(
      "checksum", \.rules.hashesInputs, in: .batch, "know inputs by SHA-256 and not by time",
      manual: """
        Writes the SHA-256 of inputs into the journal, and compares it when the batch is resumed: an
        input that was copied or touched is then still the same one. Every input is read once more.
        """),
    .toggle(
      "keep-going", short: "k", \.rules.keepsGoing, in: .batch, "go on after an item has failed",
      manual: """
        Does all items that can be done. Without it, the first failure ends the batch when the items
        that are being done have ended. A full disk ends it in any case; problems that a verb finds
        end nothing.
        """),
    .number(
      "retries", "N", \.retries, atLeast: 0, atMost: 100, in: .batch,
      "try again where the system failed",
      manual: """
        How often an item is tried again after an input or output error that may pass, after a rest
        of a quarter of a second and then of twice as long each time. A missing or damaged file is
        not tried again.
        """),
    .toggle(
      "delete-source", \.rules.deletesSources, in: .batch,
      "delete inputs once verified, needs --verify",
      manual: """
        Deletes the files that an item was made from when its outputs have been compared with them,
        are on the disk and in the journal; then the directory, if nothing else is in it.
        """),
    .text(
      "shard", "I/N", \.shard, needs: "a part of several, such as 3/8", in: .batch,
      "do part I of N; in a Slurm array by itself",
      manual: """
        Divides the batch into N parts of about the same number of bytes and does part I, from 1.
        Processes with different parts run below one ROOT at the same time. In a task of a Slurm job
        array, `SLURM_ARRAY_TASK_ID` and its companions give I and N unless this flag does; `1/1`
        means all of it.
        """
    ) { Shard($0) },
  ]

  private static let reportFlags: [BoundFlag<BatchOptions>] = [
    .toggle(
      "merge-reports", \.mergesReports, in: .batch, "give one verdict on all parts, do nothing",
      manual: """
        Converts nothing and says what the journals of all runs and parts say together: which items
        are done, which failed and why, which nobody has done. The exit status is that of the whole.
        """),
    .path(
      "report", "FILE", \.report, in: .batch, "write a report to FILE, as JSON lines",
      manual: """
        Writes one JSON object for each item and one for the whole, as `--json` prints them, when the
        batch ends. See Documentation/batch.md.
        """),
  ]
}

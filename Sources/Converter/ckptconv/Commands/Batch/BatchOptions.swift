internal import Batch

/// What a batch can be told, whatever its verb.
struct BatchOptions: Sendable {
  var root: String?
  var list: String?
  var includesFiles = false
  var isDryRun = false
  var resumes = false
  var replacesExisting = false
  var keepsGoing = false
  var retries: Int?
  var jobs: Int?
  var shard: Shard?
  var mergesReports = false
  var hashesInputs = false
  var deletesSources = false
  var report: String?

  /// Refuses what excludes each other, and a batch without what its verb needs.
  func check(_ operands: [String], writing verb: any BatchVerb) throws(UsageError) {
    if operands.isEmpty, list == nil {
      throw UsageError("batch \(verb.name) takes INPUT... or --from LIST, found neither")
    }
    if root == nil, verb.needsRoot || resumes || mergesReports || shard != nil {
      throw UsageError(
        "batch \(verb.name) needs --output ROOT",
        hint: verb.writes
          ? "the outputs are written into a tree below ROOT, and the journal lies there"
          : verb.comparesWithRoot
            ? "the inputs are compared with the tree below ROOT"
            : "the journal of the batch lies below ROOT")
    }
    if root == "-" {
      throw UsageError("--output - would write many files to the standard output")
    }
    if deletesSources, !verb.verifies {
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
  func rules(settings: String, threads: Int?) -> BatchRules {
    var rules = BatchRules()
    rules.settings = settings
    rules.jobs = jobs ?? 1
    rules.threads = threads
    rules.resumes = resumes || mergesReports
    rules.replacesExisting = replacesExisting
    rules.keepsGoing = keepsGoing
    rules.retries = retries ?? 0
    rules.deletesSources = deletesSources
    rules.hashesInputs = hashesInputs
    return rules
  }
}

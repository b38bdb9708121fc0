internal import CkptBase
internal import CkptCopy
internal import CkptScan

/// `ckptconv scan`.
struct ScanCommand: Command {
  static let name = "scan"
  static let summary = "show what code a file could run when loaded"
  static let manual = """
    Lists every global that the pickles of each INPUT name, the worst first, with the place where it is
    named and the opcodes that call it. Nothing is run. The verdict on a file is the worst finding.

    `dangerous`: the file runs code when Python loads it.
    `broken`: a part cannot be read as what it claims to be, such as a pickle that breaks off.
    `unread`: a part was not looked at, such as a compressed file of another program.
    `suspicious`: a part is not what honest programs write.
    `clean`: every byte is accounted for, and no name in it is known to run code. Classes whose effects
    are not known are listed as `opaque`; their author decides what they do when Python imports them.

    Every file is taken for everything that it can be to a loader: an archive of `torch.save`, a pickle
    of any protocol, the pickles of PyTorch before 1.6, TorchScript, a safetensors file with the names and
    values that the OLMo trainer unpickles, an array of NumPy, a tar archive, gzip. Archives inside
    archives and pickles inside the values of pickles are looked into as well. Of tensor data only as
    much is read as tells that it is not a pickle; its checksums are for `ckptconv verify`.

    A directory stands for all files in it and below. Each file has a verdict, and the last line counts
    them.

    The exit status is that of the worst file: 1 if it is dangerous (`--fail-on` changes that), 65 if
    it is broken or unread, otherwise 0.
    """
  static let examples = [
    Example(line: "ckptconv scan model.pt", purpose: "See what code a file could run:"),
    Example(
      line: "ckptconv scan --json downloads/ | jq 'select(.totals.dangerous > 0).path'",
      purpose: "List the dangerous files of a directory:"),
    Example(
      line: "ckptconv scan --fail-on suspicious --sarif . > scan.sarif",
      purpose: "Report on a repository to a code scanning service:"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<ScanCommand>] = [
    .choice(
      "fail-on", "VERDICT", \.failure, in: .safety,
      "exit with 1 from this verdict on: suspicious, dangerous",
      manual: """
        The mildest verdict that gives exit status 1. The default is `dangerous`. With `suspicious`
        broken and unread files give 1 as well.
        """),
    .toggle(
      "strict", \.isStrict, in: .safety, "the same as --fail-on suspicious",
      manual: "The same as `--fail-on suspicious`."),
    .number(
      "jobs", short: "j", "N", \.jobs, atLeast: 1, atMost: 256, in: .listing,
      "scan N files at once",
      manual: "The number of files to scan at once. The default is one for each processor."),
    .toggle(
      "sarif", \.isSarif, in: .listing, "print one SARIF document for all files",
      manual: """
        Prints one document in the format SARIF 2.1.0, which code scanning services read, instead of
        lines of text.
        """),
  ]

  private var failure: ScanFailure?
  private var isStrict = false
  private var isSarif = false
  private var jobs: Int?

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    if isSarif, shared.json {
      throw UsageError("--sarif and --json exclude each other", hint: "leave one of them out")
    }
    if isStrict, failure == .dangerous {
      throw UsageError(
        "--strict and --fail-on dangerous exclude each other", hint: "leave one of them out")
    }
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    var inputs: [ScanRun.Input] = []
    for operand in operands {
      do throws(CheckpointError) {
        inputs += try FileScan.files(of: operand).map { .file($0) }
      } catch {
        inputs.append(.failure(error))
      }
    }
    let form: ScanRun.Form =
      isSarif ? .sarif : shared.json ? .json : shared.quiet ? .nothing : .text
    let failing: Set<FileScan.Verdict> =
      isStrict || failure == .suspicious
      ? [.dangerous, .broken, .unread, .suspicious] : [.dangerous]
    return try ScanRun(inputs, form, failing: failing)
      .run(jobs: jobs ?? shared.budget.threadCount, console)
  }
}

/// The mildest verdict that `--fail-on` makes a failure.
enum ScanFailure: String, FlagChoice {
  case suspicious, dangerous

  var meaning: String {
    switch self {
    case .suspicious: "everything but clean files"
    case .dangerous: "files that run code when they are loaded"
    }
  }
}

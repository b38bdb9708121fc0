internal import CkptBase
internal import CkptBatch
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptConvert
internal import CkptCopy
internal import CkptFormats
internal import CkptSkeleton

/// `ckptconv roundtrip`.
struct RoundTripCommand: Command {
  static let name = "roundtrip"
  static let summary = "prove that a file comes back from the other format"
  static let manual = """
    Takes each INPUT to the other format and back, and compares what returns with what left: a .pt
    file by way of safetensors, a safetensors file by way of .pt. Nothing is written beside the
    INPUT, and tensors are not written at all: everything else of the file between is, in the
    directory for temporary files (`TMPDIR`), and is read back from there.

    The best verdict is that the file is identical, byte for byte. Otherwise it is said which bytes
    differ and why, and whether the object in the file is the same: bytes of a storage that belong to
    no tensor come back as zeros, and a file that another program has packed may be packed in another
    way. To compare the objects, such a file is written to the directory for temporary files.

    Of a directory, the model and the optimizer state are taken there and back; the rest is carried
    along by conversions as it is. The exit status is 1 if something was lost.
    """
  static let examples = [
    Example(
      line: "ckptconv roundtrip step1000-unsharded",
      purpose: "May the .pt files be deleted once they are converted?")
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<RoundTripCommand>] = [
    .choice(
      "layout", "LAYOUT", \.layout, in: .content, "by way of layout olmo, or plain",
      manual: """
        How tensors are named in the safetensors file between. The default is what
        `ckptconv pt-to-safetensors` takes. A safetensors file has its own.
        """)
  ]

  private var layout: Layout?

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    let roundTrip = RoundTrip(layout: layout, budget: shared.budget)
    var report = RoundTripReport()
    for operand in operands {
      do throws(CheckpointError) {
        for path in try RoundTrip.files(of: operand) {
          let finding = try roundTrip.run(path) { done, total in
            console.progress?.update(done: done, total: total)
          }
          console.progress?.finish()
          report.findings.append(finding)
          for warning in finding.warnings { console.warn("\(path): \(warning)") }
          if !shared.json, !shared.quiet {
            try console.print(Self.text(finding, width: console.columns))
          }
        }
      } catch {
        console.report(error)
        report.failures.append((operand, error))
      }
      console.progress?.finish()
    }
    if shared.json { try console.printJSON(report.json(\.words)) }
    return ExitCode(
      found: report.findings.contains(where: \.isLossy), failures: report.failures.map(\.error))
  }

  private static func text(_ finding: RoundTrip.Finding, width: Int?) -> String {
    let way =
      finding.format == .safetensors
      ? "by way of safetensors, layout \(finding.layout.rawValue)" : "by way of .pt"
    let size = ByteCount(bytes: finding.byteCount).description
    let head = "\(finding.path): ".harmless
    let reasons = finding.reasons.map { "  \($0.harmless)\n" }.joined()
    switch finding.verdict {
    case .identical: return "\(head)identical, \(size), \(way)\n"
    case .sameObject: return "\(head)the same object in other bytes, \(way)\n\(reasons)"
    case .different:
      return
        "\(head)different: \(finding.differenceCount.pluralized("difference")), \(way)\n\(reasons)"
        + VerifyText.table(finding.differences).text(width: width)
    }
  }
}

extension RoundTripCommand: BatchableCommand {
  func batchVerb() -> any BatchVerb { RoundTripVerb(name: Self.name, layout: layout) }
}

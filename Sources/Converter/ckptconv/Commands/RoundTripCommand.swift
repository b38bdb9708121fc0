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
  static let summary = "check that converting there and back restores a file"
  static let manual = """
    Converts each INPUT to the other format and back, and compares the result with the original: a
    .pt file through safetensors, a safetensors file through .pt. Nothing is written beside INPUT,
    and tensors are not written at all. All other contents of the intermediate file go to the
    directory for temporary files (`TMPDIR`) and are read back from there.

    The best result is that the file is identical, byte for byte. Otherwise the command prints the
    bytes that differ, the reason, and whether the object in the file is the same. Unused bytes of a
    storage become zeros. A file that another program packed can get another packing. To compare the
    objects, such a file is written to the directory for temporary files.

    In a directory, the model and the optimizer state are checked; conversions copy all other files
    unchanged. The exit code is 1 if something was lost.
    """
  static let examples = [
    Example(
      line: "ckptconv roundtrip step1000-unsharded",
      purpose: "Check that the .pt files can be deleted after conversion:")
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<RoundTripCommand>] = [
    .choice(
      "layout", "LAYOUT", \.layout, in: .content, "the naming of tensors: olmo or plain",
      manual: """
        The naming of tensors in the intermediate safetensors file. The default is that of `ckptconv
        pt-to-safetensors`. A safetensors INPUT keeps its own.
        """),
    .dropUnsafe(\.reading.dropsUnsafe),
  ]

  private var layout: Layout?
  private var reading = ReadingOptions()

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    let roundTrip = RoundTrip(layout: layout, reading, budget: shared.budget)
    var report = RoundTripReport()
    for operand in operands {
      do throws(CheckpointError) {
        for path in try RoundTrip.files(of: operand) {
          let finding = try roundTrip.run(path) { done, total in
            console.progress?.update(done: done, total: total, of: path)
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
      ? "through safetensors, layout \(finding.layout.rawValue)" : "through .pt"
    let size = ByteCount(bytes: finding.byteCount).description
    let head = "\(finding.path): ".harmless
    let reasons = finding.reasons.map { "  \($0.harmless)\n" }.joined()
    switch finding.verdict {
    case .identical: return "\(head)identical, \(size), \(way)\n"
    case .sameObject: return "\(head)same object, different bytes, \(way)\n\(reasons)"
    case .different:
      return
        "\(head)different: \(finding.differenceCount.pluralized("difference")), \(way)\n\(reasons)"
        + VerifyText.table(finding.differences).text(width: width)
    }
  }
}

extension RoundTripCommand: BatchableCommand {
  func batchVerb() -> any BatchVerb { RoundTripVerb(name: Self.name, layout: layout, reading) }
}

internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptScan

/// `ckptconv scan`.
struct ScanCommand: Command {
  static let name = "scan"
  static let summary = "show what code a file could run when loaded"
  static let manual = """
    Lists every global that the pickles of each INPUT name, the most dangerous first. A `dangerous`
    global can run code. A `known` one is usual in checkpoints. The meaning of an `opaque` one is
    unknown here. Each line has the place and the opcode that would call the global. Nothing is run.

    All files that PyTorch reads are scanned, even those that cannot be converted: archives, files
    from before PyTorch 1.6, bare pickles, TorchScript and tar. In safetensors files the skeleton,
    and the names and values that OLMo's trainer unpickles, are scanned. Pickles are searched in
    every entry of an archive, after the end of other pickles, and inside their values. An archive
    that contradicts itself and a pickle that ends early are reported as `broken`, and the scan
    continues as far as possible. Tensor data is not read; `ckptconv check` tests its checksums.

    A directory stands for all files in it and below. Files without any pickle are skipped.

    The exit code is 1 if something dangerous was found, 65 if an INPUT is broken or its kind cannot
    be scanned, and 0 if no name is dangerous. An `opaque` class can still do anything when Python
    imports it.
    """
  static let examples = [
    Example(line: "ckptconv scan model.pt", purpose: "See what code a file could run:"),
    Example(
      line: "ckptconv scan --json downloads/ | jq 'select(.totals.dangerous > 0).path'",
      purpose: "List the dangerous files of a directory:"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<ScanCommand>] = []

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    var exitCode = ExitCode.done
    for operand in operands {
      do throws(CheckpointError) {
        let files = try FileScan.files(of: operand)
        for file in files {
          exitCode.merge(try scan(file, isOnly: files == [operand], shared, console))
        }
      } catch {
        console.report(error)
        exitCode.merge(ExitCode(error))
      }
    }
    return exitCode
  }

  private func scan(
    _ path: String, isOnly: Bool, _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    let scan: FileScan
    do throws(CheckpointError) {
      scan = try FileScan(of: path)
    } catch {
      if !isOnly, error.code == .unsupported { return .done }
      console.report(error)
      return ExitCode(error)
    }
    if shared.json {
      try console.printJSON(scan.json)
    } else if !shared.quiet {
      try console.print(Self.text(of: scan))
    }
    var exitCode = scan.count(.broken) > 0 ? ExitCode.badInput : .done
    exitCode.merge(scan.count(.dangerous) > 0 ? .difference : .done)
    return exitCode
  }

  /// Returns a line for each finding and a summary line.
  private static func text(of scan: FileScan) -> String {
    var lines = scan.findings.map { finding in
      var parts = [scan.path, finding.severity.rawValue] + finding.place
      if let offset = finding.offset { parts.append("byte 0x\(String(offset, radix: 16))") }
      return (parts + [finding.message]).joined(separator: ": ").harmless
    }
    let counts = ScanFinding.Severity.allCases.map { "\(scan.count($0)) \($0.rawValue)" }
    let size = ByteCount(bytes: scan.byteCount)
    let kind = "\(scan.format), \(size), \(scan.pickleCount.pluralized("pickle"))"
    lines.append("\(scan.path): \(kind): \(counts.joined(separator: ", "))".harmless)
    return lines.joined(separator: "\n") + "\n"
  }
}

internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptScan

/// `ckptconv scan`.
struct ScanCommand: Command {
  static let name = "scan"
  static let summary = "list what the pickles of a file would have run"
  static let manual = """
    Lists every global that the pickles of each INPUT name, the worst first: `dangerous` ones exist to
    run code, `known` ones are what checkpoints are made of, and the meaning of `opaque` ones is not
    known here. Each line says where it is and by which operation it would have been called. Nothing
    is run.

    Every kind of file that PyTorch reads is looked into, also those that are not converted: archives,
    pickles of PyTorch before 1.6, bare pickles, TorchScript, tar. So are the names and values that the
    OLMo trainer unpickles from a safetensors file, and the skeleton. Pickles are looked for in every
    entry of an archive whatever its name, behind the end of other pickles and inside of their values.
    An archive that contradicts itself and a pickle that breaks off are reported as `broken`, and the
    scan goes on as far as they can be followed. Tensor data is not read; its checksums are for
    `ckptconv verify`.

    A directory stands for all files in it and below; those that hold no pickle at all are passed
    over.

    The exit status is 1 if anything dangerous was found, 65 if an INPUT is broken or of a kind in
    which pickles cannot be found, and 0 if there is nothing dangerous as far as names tell. An
    `opaque` class can do anything when Python imports it.
    """
  static let examples = [
    Example(line: "ckptconv scan model.pt", purpose: "Would loading this file run something?"),
    Example(
      line: "ckptconv scan --json downloads/ | jq 'select(.totals.dangerous > 0).path'",
      purpose: "Which files of a directory are dangerous?"),
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

  /// A line for each finding, and one for all of them.
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

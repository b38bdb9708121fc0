internal import CkptBase
internal import CkptConvert
internal import CkptCopy
internal import CkptFormats
internal import CkptInspect

/// `ckptconv export`.
struct ExportCommand: Command {
  static let name = "export"
  static let summary = "write one tensor as a .npy file"
  static let manual = """
    Writes the tensor NAME of INPUT as a file that `numpy.load` reads. INPUT is a file, an index of
    shards, or a directory, in any format; `ckptconv inspect` lists the names. Elements keep their
    bits. Types that NumPy does not have, such as bfloat16 and float8, are written as unsigned
    integers with the same bits, and the output says so: `ml_dtypes` has NumPy types to view them as.
    """
  static let examples = [
    Example(
      line: "ckptconv export model.pt transformer.wte.weight -o wte.npy",
      purpose: "Write the embedding:")
  ]
  static let operands = Operands(usage: "INPUT NAME", minimum: 2, maximum: 2, arePaths: true)
  static let flags: [BoundFlag<ExportCommand>] =
    [
      .destination(
        "output", short: "o", "PATH", \.destination, in: .output,
        "write to a file, a directory, or - (stdout)",
        manual: """
          The output file, or an existing directory to write it into. The default is NAME with the
          extension `.npy` in the current directory. `-` is the standard output.
          """)
    ] + WritingOptions.flags.map { $0.lifted(to: \.writing) } + [.dropUnsafe(\.reading.dropsUnsafe)]

  private var destination = Destination.besideInput
  private var writing = WritingOptions()
  private var reading = ReadingOptions()

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput([operands[0]])
    if destination == .standardOutput, shared.json {
      throw .conflict("--output -", "--json", because: "both use the standard output")
    }
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    let (input, name) = (operands[0], operands[1])
    let target = try target(for: name)
    if target == .standardOutput, console.columns != nil {
      console.report(
        UsageError(
          "--output - would write a .npy file to the terminal",
          hint: "send it to a pipe or a file: '-o - > x.npy'"))
      return .usage
    }
    if target != .standardOutput { TerminalSyscalls.stopGracefullyWhenInterrupted() }
    let export = NumpyExport(reading, writing: writing, budget: shared.budget)
    for path in try Inspection.files(of: input) {
      let report = try export.run(name, of: path, to: target) { done, total in
        console.progress?.update(done: done, total: total, of: name)
      }
      console.progress?.finish()
      guard let report else { continue }
      let size = ByteCount(bytes: report.byteCount)
      console.note("\(path) -> \(target): \(size), \(report.dtype) \(report.shape)")
      if report.isRaw {
        console.note(
          "NumPy has no \(report.dtype); the file holds its bits as unsigned integers "
            + "(\(report.descriptor.dropFirst()))"
        )
      }
      if shared.json { try console.printJSON(report.json(path, target.description, name)) }
      return .done
    }
    throw InspectCommand.missing(tensor: name, in: input)
  }

  private func target(for name: String) throws(CheckpointError) -> OutputTarget {
    // A name from a file is no path.
    let usual = String(name.map { $0 == "/" ? "_" : $0 }) + ".npy"
    switch destination {
    case .standardOutput: return .standardOutput
    case .besideInput: return .file(usual)
    case .path(let path):
      let place = FilePath(path)
      return .file(try place.meansDirectory() ? place.appending(usual).text : path)
    }
  }
}

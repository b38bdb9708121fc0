internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptHuggingFace
internal import CkptSkeleton

/// Converts inputs one after the other and tells what became of them.
struct ConversionRun {
  let options: ConversionOptions
  let destination: Destination
  let console: Console

  /// Converts what was given on the command line.
  ///
  /// - Throws: what stops all of it; a fault of one input is reported, and the others go on.
  func run(on operands: [String], json: Bool) throws(CheckpointError) -> ExitCode {
    if destination == .standardOutput, console.columns != nil {
      console.report(.binaryOnTerminal(options.format))
      return .usage
    }
    // A stream is not taken back, and to write to it can take as long as nobody reads.
    if destination != .standardOutput { TerminalSyscalls.stopGracefullyWhenInterrupted() }
    let conversion = Conversion(options)
    let plan = try conversion.plan(for: operands, to: destination)
    var report = ConversionReport()
    // One bad input among many does not keep the others from being converted.
    for failure in plan.failures { console.report(failure.error) }
    report.failures = plan.failures
    for task in plan.tasks {
      do throws(CheckpointError) {
        let outputs = try conversion.run(task) { done, total in
          console.progress?.update(done: done, total: total)
        }
        console.progress?.finish()
        for output in outputs { announce(output) }
        if let manifest = options.manifest {
          console.note("\(task.input) -> \(manifest): manifest")
        }
        report.outputs += outputs
      } catch {
        if error.code == .cancelled { throw error }
        console.report(error)
        report.failures.append((task.input, error))
      }
    }
    if json { try console.printJSON(report.json(\.words)) }
    return ExitCode(found: false, failures: report.failures.map(\.error))
  }

  private func announce(_ output: Conversion.Output) {
    for warning in output.warnings { console.warn("\(output.source): \(warning)") }
    let size = ByteCount(bytes: output.byteCount)
    console.note("\(output.source) -> \(output.path): \(size), \(content(of: output))")
  }

  private func content(of output: Conversion.Output) -> String {
    guard output.format != nil else {
      return output.path.hasSuffix(".index.json") ? "index of the files" : "unchanged"
    }
    var words = [output.tensorCount.pluralized("tensor")]
    if output.aliasCount > 0 { words.append("\(output.aliasCount) tied") }
    if let layout = output.layout { words.append("layout \(layout.rawValue)") }
    return words.joined(separator: ", ")
  }
}

/// What is said of a checkpoint that was converted as a whole.
struct FolderSummary {
  let report: DirectoryReport
  let console: Console

  /// Says it, and prints it as JSON where that is wanted.
  ///
  /// - Throws: `inputOutput` when the standard output takes no more.
  func print(json: Bool) throws(CheckpointError) {
    console.progress?.finish()
    for output in report.outputs {
      for warning in output.warnings { console.warn("\(output.source): \(warning)") }
    }
    for warning in report.allWarnings { console.warn(warning) }
    for output in report.outputs where output.format != nil { console.note(Self.line(output)) }
    if let others { console.note(others) }
    if let summary = report.configurationSummary {
      console.note("configuration: \(summary); --json lists them")
    }
    for note in report.notes { console.note(note) }
    let trainerFlags = report.trainerStart?.flags ?? []
    if !trainerFlags.isEmpty {
      console.note("OLMo's trainer: \(trainerFlags.joined(separator: " "))")
    }
    if json { try console.printJSON(report.json(trainerFlags: trainerFlags, \.words)) }
  }

  private static func line(_ output: Conversion.Output) -> String {
    let size = ByteCount(bytes: output.byteCount)
    return "\(output.source) -> \(output.path): \(size), \(output.tensorCount.pluralized("tensor"))"
  }

  /// The files beside those of tensors.
  private var others: String? {
    let paths = report.outputs.filter { $0.format == nil }.map(\.path)
    return paths.isEmpty ? nil : "and \(paths.joined(separator: ", "))"
  }
}

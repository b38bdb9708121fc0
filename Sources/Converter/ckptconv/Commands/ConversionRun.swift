internal import Bytes
internal import Converter
internal import Formats

/// Converts inputs one after the other and tells what became of them.
struct ConversionRun {
  private let conversion: Conversion
  private let format: CheckpointFormat
  private let manifest: String?
  private let destination: Destination
  private let console: Console

  init(_ options: ConversionOptions, _ destination: Destination, _ console: Console) {
    conversion = Conversion(options)
    format = options.format
    manifest = options.manifest
    self.destination = destination
    self.console = console
  }

  /// Converts what was given on the command line.
  ///
  /// - Throws: what stops all of it; a fault of one input is reported, and the others go on.
  func run(on operands: [String], json: Bool) throws(FormatError) -> ExitCode {
    if destination == .standardOutput, console.columns != nil {
      console.report(.binaryOnTerminal(format))
      return .usage
    }
    // A stream is not taken back, and to write to it can take as long as nobody reads.
    if destination != .standardOutput { TerminalSyscalls.stopGracefullyWhenInterrupted() }
    let tasks = try conversion.tasks(for: operands, to: destination)
    var report = ConversionReport()
    var exitCode = ExitCode.done
    for task in tasks {
      do throws(FormatError) {
        let outputs = try conversion.run(task) { done, total in
          console.progress?.update(done: done, total: total)
        }
        console.progress?.finish()
        for output in outputs { announce(output) }
        if let manifest { console.note("\(task.input) -> \(manifest): manifest") }
        report.outputs += outputs
      } catch {
        if error.cause?.isInterruption == true { throw error }
        // One bad file among many does not keep the others from being converted.
        console.report(error)
        report.failures.append((task.input, error))
        if exitCode == .done { exitCode = ExitCode(error) }
      }
    }
    if json { try console.printJSON(report.json) }
    return exitCode
  }

  private func announce(_ output: Conversion.Output) {
    for warning in output.warnings { console.warn("\(output.source): \(warning)") }
    let size = ByteCount(bytes: output.byteCount)
    console.note("\(output.source) -> \(output.path): \(size), \(content(of: output))")
  }

  private func content(of output: Conversion.Output) -> String {
    guard output.format != nil else { return "unchanged" }
    var words = [output.tensorCount.counting("tensor")]
    if output.aliasCount > 0 { words.append("\(output.aliasCount) tied") }
    if let layout = output.layout { words.append("layout \(layout.rawValue)") }
    return words.joined(separator: ", ")
  }
}

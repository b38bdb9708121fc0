internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptHuggingFace
internal import CkptModels
internal import CkptSkeleton

/// Converts inputs one after the other and prints the result of each.
struct ConversionRun {
  let options: ConversionOptions
  let destination: Destination
  let console: Console

  /// Converts the operands of the command line.
  ///
  /// - Throws: an error that stops the whole run. An error in one input is reported, and the run
  ///   continues.
  func run(on operands: [String], json: Bool) throws(CheckpointError) -> ExitCode {
    if destination == .standardOutput, console.columns != nil {
      console.report(.binaryOnTerminal(options.format))
      return .usage
    }
    // A stream cannot be taken back, and a write to it can block for any time.
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
          console.progress?.update(done: done, total: total, of: task.input)
        }
        console.progress?.finish()
        for output in outputs { announce(output) }
        if outputs.contains(where: { FilePath($0.path).name == OLMoDirectory.configuration }),
          let directory = task.directory, let notice = OLMoDirectory.nameNotice(directory)
        {
          console.note(notice)
        }
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
    if report.outputs.contains(where: { $0.layout == .olmo }) {
      console.note(
        "layout olmo: only OLMo's trainer reads these names; --layout plain writes readable ones")
    }
    if json { try console.printJSON(report.json(\.words)) }
    return ExitCode(found: false, failures: report.failures.map(\.error))
  }

  private func announce(_ output: Conversion.Output) {
    for warning in output.warnings { console.warn("\(output.source): \(warning)") }
    let size = ByteCount(bytes: output.byteCount)
    console.note("\(output.source) -> \(output.path): \(size), \(content(of: output))")
    if let wrapper = output.wrapper {
      console.note("every name begins with '\(wrapper)'; --strip-prefix \(wrapper) removes it")
    }
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

extension DirectoryConversion {
  /// Converts a directory for a command, and prints the report.
  ///
  /// - Throws: the errors of the conversion; `inputOutput` if the standard output fails.
  func run(
    _ input: String, to output: String, _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    TerminalSyscalls.stopGracefullyWhenInterrupted()
    let report = try run(input, to: output) { done, total in
      console.progress?.update(done: done, total: total, of: input)
    }
    try FolderSummary(report: report, console: console).print(json: shared.json)
    return .done
  }
}

/// The report of a directory that was converted as a whole.
private struct FolderSummary {
  let report: DirectoryReport
  let console: Console

  /// Prints the report, as JSON if wanted.
  ///
  /// - Throws: `inputOutput` if the standard output fails.
  func print(json: Bool) throws(CheckpointError) {
    console.progress?.finish()
    for output in report.outputs {
      for warning in output.warnings { console.warn("\(output.source): \(warning)") }
    }
    for warning in report.allWarnings { console.warn(warning) }
    for output in report.outputs where output.format != nil { console.note(Self.line(output)) }
    if let others { console.note(others) }
    if let configuration { console.note(configuration) }
    for note in report.notes { console.note(note) }
    let trainerFlags = report.trainerStart?.flags ?? []
    if !trainerFlags.isEmpty {
      console.note(
        "to continue training, pass to OLMo's trainer: \(trainerFlags.joined(separator: " "))")
    }
    if json { try console.printJSON(report.json(trainerFlags: trainerFlags, \.words)) }
  }

  private static func line(_ output: Conversion.Output) -> String {
    let size = ByteCount(bytes: output.byteCount)
    return "\(output.source) -> \(output.path): \(size), \(output.tensorCount.pluralized("tensor"))"
  }

  /// The number of settings that the other side does not have; `nil` without a configuration.
  private var configuration: String? {
    let entries = report.configuration.entries
    guard !entries.isEmpty else { return nil }
    let pointer = "('ckptconv config' lists them)"
    guard report.trainerStart == nil else {
      let count = entries.count { $0.status == .defaulted }
      return "config.yaml written; \(count.pluralized("setting")) with OLMo's defaults \(pointer)"
    }
    let count = entries.count { $0.status == .notRepresentable }
    let isKept = entries.contains(where: \.isCarried)
    return
      "config.json written; \(count.pluralized("OLMo setting")) without a Hugging Face counterpart "
      + (isKept ? "kept for the way back \(pointer)" : "not kept \(pointer)")
  }

  /// The output files without tensors.
  private var others: String? {
    let paths = report.outputs.filter { $0.format == nil }.map(\.path)
    guard paths.count > Self.listedPaths else {
      return paths.isEmpty ? nil : "also written: \(paths.joined(separator: ", "))"
    }
    let listed = paths.prefix(Self.listedPaths - 1).joined(separator: ", ")
    return "also written: \(listed) and \(paths.count - Self.listedPaths + 1) more files"
  }

  /// The number of files that are listed.
  private static let listedPaths = 8
}

extension Console {
  /// Warns of shards of a few bytes: a unit is missing.
  func warn(ofShardSize byteCount: Int?) {
    guard let byteCount, byteCount < 1000 else { return }
    warn("shards of at most \(byteCount) bytes: add a unit to the size, such as \(byteCount)GB")
  }
}

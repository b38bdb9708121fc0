internal import CkptBase
internal import CkptCheckpoints
internal import CkptScan

/// The scan of many files on several threads, whose results appear in the order of the files.
struct ScanRun {
  /// The form of the results.
  enum Form {
    case text, json, sarif, nothing
  }

  /// A file, or what kept the files of an operand from being listed.
  enum Input {
    case file(String)
    case failure(CheckpointError)
  }

  private struct State {
    /// The next input to scan, and the next whose result appears.
    var next = 0
    var shown = 0
    var results: [Int: Result<FileScan, CheckpointError>] = [:]
    var exitCode = ExitCode.done
    var counts: [FileScan.Verdict: Int] = [:]
    var sarif = SarifReport(version: Version.current)
    /// The error that ended the output.
    var failure: CheckpointError?
  }

  let inputs: [Input]
  let form: Form
  /// The verdicts that give the exit status of a finding.
  let failing: Set<FileScan.Verdict>
  private let state = Locked(State())

  init(_ inputs: [Input], _ form: Form, failing: Set<FileScan.Verdict>) {
    self.inputs = inputs
    self.form = form
    self.failing = failing
  }

  /// Scans all inputs on `jobs` threads.
  ///
  /// - Throws: `inputOutput` when the results cannot be written.
  func run(jobs: Int, _ console: Console) throws(CheckpointError) -> ExitCode {
    Syscalls.concurrently(min(jobs, inputs.count)) {
      while let index = takeNext() {
        let result = scan(inputs[index])
        state.withLock { show(result, at: index, &$0, console) }
      }
    }
    return try state.withLock { state throws(CheckpointError) in
      if let failure = state.failure { throw failure }
      if form == .sarif { try console.printJSON(state.sarif.json) }
      if inputs.count > 1, form != .nothing { try summarize(state.counts, console) }
      return state.exitCode
    }
  }

  private func takeNext() -> Int? {
    state.withLock { state in
      guard state.next < inputs.count, state.failure == nil else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  private func scan(_ input: Input) -> Result<FileScan, CheckpointError> {
    switch input {
    case .file(let path):
      do throws(CheckpointError) {
        return .success(try FileScan(of: path))
      } catch {
        return .failure(error)
      }
    case .failure(let error): return .failure(error)
    }
  }

  /// Shows a result as soon as those of all inputs before it are shown.
  private func show(
    _ result: Result<FileScan, CheckpointError>, at index: Int, _ state: inout State,
    _ console: Console
  ) {
    state.results[index] = result
    while let result = state.results.removeValue(forKey: state.shown) {
      state.shown += 1
      switch result {
      case .failure(let error):
        console.report(error)
        state.exitCode.merge(ExitCode(error))
      case .success(let scan):
        state.counts[scan.verdict, default: 0] += 1
        state.exitCode.merge(exitCode(of: scan))
        do throws(CheckpointError) {
          try print(scan, &state, console)
        } catch {
          state.failure = error
          return
        }
      }
    }
  }

  private func print(
    _ scan: FileScan, _ state: inout State, _ console: Console
  ) throws(CheckpointError) {
    switch form {
    case .text: try console.print(Self.text(of: scan))
    case .json: try console.printJSON(scan.json)
    case .sarif: state.sarif.add(scan)
    case .nothing: break
    }
  }

  private func exitCode(of scan: FileScan) -> ExitCode {
    if failing.contains(scan.verdict) { return .difference }
    switch scan.verdict {
    case .broken, .unread: return .badInput
    case .dangerous, .suspicious, .clean: return .done
    }
  }

  /// Prints how many files have which verdict.
  private func summarize(
    _ counts: [FileScan.Verdict: Int], _ console: Console
  ) throws(CheckpointError) {
    var parts = FileScan.Verdict.allCases.compactMap { verdict in
      counts[verdict].map { "\($0) \(verdict.rawValue)" }
    }
    let failures = inputs.count - counts.values.reduce(0, +)
    if failures > 0 { parts.append("\(failures) not read") }
    let text = "\(inputs.count.pluralized("file")): \(parts.joined(separator: ", "))"
    if form == .text { try console.print("\(text)\n") } else { console.note(text) }
  }

  /// A line for each finding, and one for the file.
  private static func text(of scan: FileScan) -> String {
    var lines = scan.findings.map { finding in
      var parts = [scan.path, finding.severity.rawValue] + finding.place
      if let offset = finding.offset { parts.append("byte 0x\(String(offset, radix: 16))") }
      return (parts + [finding.message]).joined(separator: ": ").harmless
    }
    let counts = ScanFinding.Severity.allCases.compactMap { severity in
      scan.count(severity) > 0 ? "\(scan.count(severity)) \(severity.rawValue)" : nil
    }
    let kind =
      "\(scan.format), \(ByteCount(bytes: scan.byteCount)), \(scan.pickleCount.pluralized("pickle"))"
    let found = counts.isEmpty ? "" : " (\(counts.joined(separator: ", ")))"
    lines.append("\(scan.path): \(kind): \(scan.verdict.rawValue)\(found)".harmless)
    return lines.joined(separator: "\n") + "\n"
  }
}

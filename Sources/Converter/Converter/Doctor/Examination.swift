public import Formats
internal import Bytes
internal import Graph
internal import Plan

/// A close look at a checkpoint: whether all of it is there, undamaged, and of one run.
public struct Examination: Sendable {
  /// The file or directory.
  public let path: String
  /// What was found, the gravest first.
  public private(set) var findings: [Finding] = []
  /// What was looked at, in words.
  public private(set) var examined: [String] = []

  /// Whether nothing found is a problem.
  public var isSound: Bool { !findings.contains { $0.severity == .problem } }

  private let options: ExaminationOptions
  private var files: [StateFile] = []

  /// Examines the file or directory at `path`; whatever is wrong with it is a finding.
  ///
  /// - Parameters:
  ///   - path: a file, or a directory of OLMo's trainer or of `transformers`.
  ///   - options: how closely to look.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Throws: `inputOutput` when there is nothing, or the system fails.
  public init(
    of path: String, _ options: ExaminationOptions = ExaminationOptions(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(FormatError) {
    self.path = path
    self.options = options
    let place = FilePath(path)
    guard let status = try place.status() else { throw FormatError(SystemError.missing(path)) }
    if status.isDirectory { try examineDirectory(place) } else { try examineFile() }
    try readContent(progress)
    findings = Finding.Severity.allCases.flatMap { severity in
      findings.filter { $0.severity == severity }
    }
  }

  private mutating func examineDirectory(_ place: FilePath) throws(FormatError) {
    switch try DirectoryKind(of: place) {
    case .olmo:
      var examination = OLMoExamination(of: place, options)
      try examination.run()
      findings = examination.findings
      examined = examination.examined
      files = examination.files
    case .huggingFace:
      var examination = FolderExamination(of: place, options)
      try examination.run()
      findings = examination.findings
      examined = examination.examined
      files = examination.files
    case .sharded(let kind):
      findings = [
        Finding(
          .problem, .files, at: path, "this is a \(kind), which is not read",
          remedy: "unshard it first, with the program that wrote it")
      ]
    case .unknown:
      findings = [
        Finding(
          .problem, .files, at: path,
          "there is no checkpoint in this directory: neither config.yaml, model.pt or optim.pt of "
            + "OLMo nor config.json or weights of Hugging Face",
          remedy: "give the directory of one step, such as 'step1000-unsharded'")
      ]
    }
  }

  private mutating func examineFile() throws(FormatError) {
    do throws(FormatError) {
      let checkpoint = try CheckpointFile.read(path)
      findings += checkpoint.warnings.map { Finding(.warning, .content, at: path, $0) }
      files = [StateFile(path: path, checkpoint: checkpoint)]
    } catch {
      guard error.code != .inputOutput else { throw error }
      return findings.append(Finding(error, .content, at: path))
    }
    examined.append("\(files[0].checkpoint?.graph.tensors.count ?? 0) tensors")
    guard let consumer = options.consumer else { return }
    var loading = LoadingCheck(for: consumer)
    loading.check(files[0])
    findings += loading.findings
  }

  private mutating func readContent(
    _ progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) {
    var checkedByteCount = 0
    var searchedTensorCount = 0
    let whole = files.filter { $0.checkpoint != nil }
    var progress = PartProgress(
      try whole.map { file throws(FormatError) in try FilePath(file.path).byteCount() },
      report: progress)
    for file in whole {
      guard let checkpoint = file.checkpoint else { continue }
      var check = ContentCheck(checkpoint, at: file.path, options)
      try check.run(progress.next())
      findings += check.findings
      checkedByteCount += check.checkedByteCount
      searchedTensorCount += check.searchedTensorCount
    }
    if checkedByteCount > 0 { examined.append("checksums of \(checkedByteCount) bytes") }
    if options.searchesValues {
      examined.append("\(searchedTensorCount) tensors for NaN and infinite numbers")
    }
  }
}

public import CkptBase
internal import CkptCheckpoints
public import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan

/// A close look at a checkpoint: whether all of it is there, undamaged, and of one run.
public struct CheckpointCheck: Sendable {
  /// The file or directory.
  public let path: String
  /// What was found, the gravest first.
  public let findings: [Finding]
  /// What was looked at, in words.
  public let examined: [String]

  /// The program that was asked about, if any.
  public let consumer: LoadTarget?

  /// Whether that program would load what was examined: `nil` where that does not follow from what
  /// was found, or no program was asked about.
  public var loads: Bool? {
    guard consumer != nil else { return nil }
    let loading = findings.filter { $0.topic == .loading }
    if loading.contains(where: { $0.severity == .problem }) { return false }
    return isSound && loading.isEmpty ? true : nil
  }

  /// Whether nothing found is a problem.
  public var isSound: Bool { !findings.contains { $0.severity == .problem } }

  /// Examines the file or directory at `path`; whatever is wrong with it is a finding.
  ///
  /// - Parameters:
  ///   - path: a file, or a directory of OLMo's trainer or of `transformers`.
  ///   - options: how closely to look.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Throws: `inputOutput` when there is nothing, or the system fails.
  public init(
    of path: String, _ options: CheckOptions = CheckOptions(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    self.path = path
    consumer = options.consumer
    let place = FilePath(path)
    guard let status = try place.status() else { throw .missing(path) }
    var record =
      try status.isDirectory
      ? Self.examine(directory: place, options) : Self.examine(file: path, options)
    try Self.readContent(options, progress, &record)
    examined = record.examined
    findings = Finding.Severity.allCases.flatMap { severity in
      record.findings.filter { $0.severity == severity }
    }
  }

  private static func examine(
    directory place: FilePath, _ options: CheckOptions
  ) throws(CheckpointError) -> CheckRecord {
    switch try DirectoryKind(of: place) {
    case .olmo:
      var examination = try OLMoCheck(of: place, options)
      try examination.run()
      return examination.record
    case .huggingFace:
      var examination = HuggingFaceCheck(of: place, options)
      try examination.run()
      return examination.record
    case .sharded(let kind):
      return CheckRecord(findings: [
        Finding(
          .problem, .files, at: place.text, "this is a \(kind), which is not read",
          remedy: "unshard it first, with the program that wrote it")
      ])
    case .run(let step):
      return CheckRecord(findings: [
        Finding(
          .problem, .files, at: place.text,
          "this is the directory of a run, whose checkpoints are in directories of their own",
          remedy: "give one of them, such as '\(place.appending(step).text)'")
      ])
    case .unknown:
      return CheckRecord(findings: [
        Finding(
          .problem, .files, at: place.text,
          "there is no checkpoint in this directory: neither config.yaml, model.pt or optim.pt of "
            + "OLMo nor config.json or weights of Hugging Face",
          remedy: "give the directory of one step, such as 'step1000-unsharded'")
      ])
    }
  }

  private static func examine(
    file path: String, _ options: CheckOptions
  ) throws(CheckpointError) -> CheckRecord {
    var record = CheckRecord()
    do throws(CheckpointError) {
      let checkpoint = try record.read(path)
      record.examined.append(checkpoint.graph.tensors.count.pluralized("tensor"))
    } catch {
      guard error.code.isOfTheInput else { throw error }
      record.note(error, keptFromReading: path)
      return record
    }
    guard let consumer = options.consumer else { return record }
    var loading = LoadingCheck(for: consumer)
    try loading.check(record.files[0])
    record.findings += loading.findings
    return record
  }

  private static func readContent(
    _ options: CheckOptions,
    _ progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void,
    _ record: inout CheckRecord
  ) throws(CheckpointError) {
    var checkedByteCount = 0
    var searchedTensorCount = 0
    let whole = record.files.filter { $0.checkpoint != nil }
    var progress = PartProgress(
      try whole.map { file throws(CheckpointError) in try FilePath(file.path).byteCount() },
      report: progress)
    for file in whole {
      guard let checkpoint = file.checkpoint else { continue }
      var check = ContentCheck(checkpoint, at: file.path, options)
      try check.run(progress.next())
      record.findings += check.findings
      checkedByteCount += check.checkedByteCount
      searchedTensorCount += check.searchedTensorCount
    }
    if checkedByteCount > 0 { record.examined.append("checksums of \(checkedByteCount) bytes") }
    if options.searchesValues {
      record.examined.append(
        searchedTensorCount.pluralized("tensor") + " for NaN and infinite numbers")
    }
  }
}

extension CheckpointCheck {
  /// The examination as one JSON object; `Documentation/json.md` describes its members.
  public func json(_ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    json.member("sound", isSound)
    json.key("loads")
    if let loads { json.bool(loads) } else { json.null() }
    json.key("findings")
    json.beginArray()
    for finding in findings {
      json.beginObject()
      json.member("severity", finding.severity.rawValue)
      json.member("topic", finding.topic.rawValue)
      json.member("path", finding.path)
      json.member("message", finding.message)
      json.member("remedy", finding.remedy.map(wording))
      json.endObject()
    }
    json.endArray()
    json.member("examined", examined)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

/// What the caller decides about an examination.
public struct CheckOptions: Sendable {
  /// Whether all numbers of all tensors are read in search of those that are not finite.
  public var searchesValues = false
  /// The program that is to load the checkpoint; `nil` for none in particular.
  public var consumer: LoadTarget?
  /// What it may use of the machine.
  public var budget = CopyBudget()

  /// The defaults.
  public init() {}
}

/// A program that loads checkpoints.
@nonexhaustive
public enum LoadTarget: String, Hashable, Sendable, CaseIterable {
  /// The trainer of OLMo (`olmo/checkpoint.py`, `olmo/train.py`).
  case olmo
  /// `from_pretrained` of `transformers`.
  case huggingFace = "hf"
  /// `torch.load` as it is by default since PyTorch 2.6: with `weights_only=True`.
  case torch
}

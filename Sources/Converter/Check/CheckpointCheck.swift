public import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan

/// The result of a check: whether a checkpoint is complete, undamaged and from one run.
public struct CheckpointCheck: Sendable {
  /// The file or directory.
  public let path: String
  /// The findings, the most severe first.
  public let findings: [Finding]
  /// The checked parts, in words.
  public let examined: [String]

  /// The program that is to load the checkpoint, if any.
  public let consumer: LoadTarget?

  /// Whether that program loads the checkpoint; `nil` if the findings do not tell, or without a
  /// program.
  public var loads: Bool? {
    guard consumer != nil else { return nil }
    let loading = findings.filter { $0.topic == .loading }
    if loading.contains(where: { $0.severity == .problem }) { return false }
    return isSound && loading.isEmpty ? true : nil
  }

  /// Whether no finding is a problem.
  public var isSound: Bool { !findings.contains { $0.severity == .problem } }

  /// Checks the file or directory at `path`.
  ///
  /// Everything that is wrong with it is a finding.
  ///
  /// - Parameters:
  ///   - path: a file, or a directory of OLMo's trainer or of `transformers`.
  ///   - options: the choices of the caller.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Throws: `inputOutput` if the path does not exist, or the system fails.
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
    if try OLMoCoreDirectory.isThere(place) {
      var examination = OLMoCoreCheck(of: place, options)
      try examination.run()
      return examination.record
    }
    switch try DirectoryKind(of: place) {
    case .olmo:
      var examination = try OLMoCheck(of: place, options)
      try examination.run()
      return examination.record
    case .huggingFace:
      var examination = HuggingFaceCheck(of: place, options)
      try examination.run()
      return examination.record
    case .distributed(let kind):
      return CheckRecord(findings: [
        Finding(
          .problem, .files, at: place.text,
          "this is a \(kind), whose parts are not checked against each other",
          remedy: .action(.unshard))
      ])
    case .sharded(let kind):
      return CheckRecord(findings: [
        Finding(
          .problem, .files, at: place.text, "this is a \(kind), which is not supported",
          remedy: "unshard it first with the program that wrote it")
      ])
    case .run(let step):
      return CheckRecord(findings: [
        Finding(
          .problem, .files, at: place.text,
          "this is the directory of a run; its checkpoints are in subdirectories",
          remedy: "pass one of them, such as '\(place.appending(step).text)'")
      ])
    case .unknown:
      return CheckRecord(findings: [
        Finding(
          .problem, .files, at: place.text,
          "this directory has no checkpoint: no config.yaml, model.pt or optim.pt of "
            + "OLMo, and no config.json or weights of Hugging Face",
          remedy: "pass the directory of one step, such as 'step1000-unsharded'")
      ])
    }
  }

  private static func examine(
    file path: String, _ options: CheckOptions
  ) throws(CheckpointError) -> CheckRecord {
    var record = CheckRecord(reading: options.reading)
    do throws(CheckpointError) {
      let checkpoint = try record.read(path)
      record.examined.append(checkpoint.graph.tensors.count.pluralized("tensor"))
      record.findings += emptyWeights(checkpoint.graph, at: path)
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

  /// ZeRO-3 of DeepSpeed leaves an empty tensor in the place of each weight that is spread over
  /// processes (`deepspeed/runtime/zero/partition_parameters.py`).
  private static func emptyWeights(_ graph: TensorGraph, at path: String) -> [Finding] {
    let count = graph.tensors.count { $0.shape == [0] }
    guard count > 1, 2 * count >= graph.tensors.count else { return [] }
    return [
      Finding(
        .warning, .tensors, at: path,
        "\(count) of \(graph.tensors.count) tensors are empty, as ZeRO-3 of DeepSpeed saves weights "
          + "that are spread over processes",
        remedy: "gather them first, with zero_to_fp32.py of the checkpoint")
    ]
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
    if checkedByteCount > 0 {
      record.examined.append("checksums of \(ByteCount(bytes: checkedByteCount))")
    }
    if options.searchesValues {
      record.examined.append(
        searchedTensorCount.pluralized("tensor") + " for NaN and infinity")
    }
  }
}

extension CheckpointCheck {
  /// The check as one JSON object; `Documentation/json.md` describes its members.
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

/// The caller's choices for a check.
public struct CheckOptions: Sendable {
  /// Whether to search all tensors for values that are not finite.
  public var searchesValues = false
  /// The program that is to load the checkpoint; `nil` for none.
  public var consumer: LoadTarget?
  /// The options for reading.
  public var reading = ReadingOptions()
  /// The resources that the check may use.
  public var budget = CopyBudget()

  /// Creates the default options.
  public init() {}
}

/// A program that loads checkpoints.
@nonexhaustive
public enum LoadTarget: String, Hashable, Sendable, CaseIterable {
  /// The trainer of OLMo (`olmo/checkpoint.py`, `olmo/train.py`).
  case olmo
  /// `from_pretrained` of `transformers`.
  case huggingFace = "hf"
  /// `torch.load` with `weights_only=True`, the default since PyTorch 2.6.
  case torch
}

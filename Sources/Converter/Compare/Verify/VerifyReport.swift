public import CkptBase
internal import CkptCheckpoints
public import CkptCopy
public import CkptFormats
internal import CkptJSON

/// The report of `verify`.
public struct VerifyReport: Sendable {
  /// The first checkpoint or the manifest, as it was given.
  public var first: String
  /// The second checkpoint, as it was given.
  public var second: String
  /// The result for each pair of files.
  public var findings: [VerifyFinding] = []
  /// The parts that only one checkpoint has.
  public var differences: [Difference] = []
  /// The parts that were not compared.
  public var notCompared: [String] = []
  /// The files that could not be compared, with their errors.
  public var failures: [(input: String, error: CheckpointError)] = []

  /// Creates an empty report.
  public init(first: String, second: String) {
    self.first = first
    self.second = second
  }

  /// Whether everything was compared and nothing differs.
  public var isSame: Bool { failures.isEmpty && !hasDifferences }

  /// Whether anything that was compared differs.
  public var hasDifferences: Bool {
    !differences.isEmpty || !findings.allSatisfy(\.isSame)
  }

  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public func json(_ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("first", first)
    json.member("second", second)
    json.member("same", isSame)
    json.key("files")
    json.beginArray()
    for finding in findings { Self.write(finding, to: &json) }
    json.endArray()
    Self.write(differences, to: &json)
    json.member("not_compared", notCompared)
    json.write(failures, wording)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private static func write(_ finding: VerifyFinding, to json: inout JSONWriter) {
    json.beginObject()
    json.member("first", finding.first)
    json.member("second", finding.second)
    json.member("same", finding.isSame)
    json.member("scope", finding.scope.rawValue)
    json.member("tensors", finding.tensorCount)
    json.member("values", finding.valueCount)
    json.member("bytes", finding.byteCount)
    json.member("difference_count", finding.differenceCount)
    write(finding.differences, to: &json)
    json.member("rounded_to", finding.roundedType)
    json.member("not_compared", finding.notCompared)
    json.member("warnings", finding.warnings)
    json.endObject()
  }

  static func write(_ differences: [Difference], to json: inout JSONWriter) {
    json.key("differences")
    json.beginArray()
    for difference in differences {
      json.beginObject()
      json.member("place", difference.place)
      if let counterpart = difference.counterpart { json.member("counterpart", counterpart) }
      json.member("kind", difference.kind.rawValue)
      json.member("first", difference.first)
      json.member("second", difference.second)
      json.endObject()
    }
    json.endArray()
  }
}

extension VerifyReport {
  /// Compares two checkpoints bit for bit, file by file, in any formats.
  ///
  /// A file that cannot be compared is listed in ``failures``; the others are still compared.
  ///
  /// - Parameters:
  ///   - first: a file, the index of a sharded checkpoint, or a directory.
  ///   - second: the same for the other checkpoint.
  ///   - reading: the options for reading.
  ///   - budget: the threads, memory and cancellation.
  ///   - progress: receives the bytes done and to do, on any thread.
  /// - Throws: ``CheckpointError``: `inputOutput` if a path does not exist, `unsupported` if
  ///   nothing can be compared, `cancelled`.
  public init(
    of first: String, and second: String, _ reading: ReadingOptions = ReadingOptions(),
    budget: CopyBudget = CopyBudget(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    self.init(first: first, second: second)
    let pairing = try FilePairing(of: first, and: second)
    (differences, notCompared) = (pairing.differences, pairing.notCompared)
    var progress = try pairing.progress(progress)
    for pair in pairing.pairs {
      let part = progress.next()
      try add(pair.first) { () throws(CheckpointError) in
        try VerifyFinding(of: pair, reading, budget: budget, progress: part)
      }
    }
  }

  /// Compares a checkpoint with a manifest, file by file.
  ///
  /// - Parameters:
  ///   - path: a file, the index of a sharded checkpoint, or a directory.
  ///   - manifest: a manifest that ``ManifestMaker`` wrote.
  ///   - reading: the options for reading.
  ///   - budget: the threads, memory and cancellation.
  ///   - progress: receives the bytes done and to do, file by file, on any thread.
  /// - Throws: ``CheckpointError`` as ``init(of:and:_:budget:progress:)`` does, and `malformed` if
  ///   the manifest is another kind of file.
  public init(
    of path: String, against manifest: String, _ reading: ReadingOptions = ReadingOptions(),
    budget: CopyBudget = CopyBudget(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    self.init(first: manifest, second: path)
    let pairing = try ManifestPairing(of: path, against: manifest)
    (differences, notCompared) = (pairing.differences, pairing.notCompared)
    for pair in pairing.pairs {
      try add(pair.path) { () throws(CheckpointError) in
        try VerifyFinding(of: pair, reading, budget: budget, progress: progress)
      }
    }
  }

  /// Adds the result for a file, or the error that prevented it.
  private mutating func add(
    _ path: String, _ compare: () throws(CheckpointError) -> VerifyFinding
  ) throws(CheckpointError) {
    do throws(CheckpointError) {
      findings.append(try compare())
    } catch {
      guard error.code != .cancelled else { throw error }
      failures.append((path, error))
    }
  }
}

extension JSONWriter {
  /// Writes the member `failures`: inputs with their errors.
  package mutating func write(
    _ failures: [(input: String, error: CheckpointError)], _ wording: Remedy.Wording
  ) {
    key("failures")
    beginArray()
    for failure in failures {
      beginObject()
      member("input", failure.input)
      member("code", failure.error.code.description)
      member("message", failure.error.description)
      member("hint", failure.error.remedy.map(wording))
      endObject()
    }
    endArray()
  }
}

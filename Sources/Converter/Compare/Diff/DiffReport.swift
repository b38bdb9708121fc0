public import CkptBase
public import CkptCopy
internal import CkptCheckpoints
public import CkptFormats
internal import CkptGraph
internal import CkptJSON

/// The report of `diff`.
public struct DiffReport: Sendable {
  /// The limits below which differences of elements do not count.
  public struct Tolerance: Hashable, Sendable {
    /// The largest allowed |a − b|; `nil` for none.
    public var absolute: Double?
    /// The largest allowed |a − b| / max(|a|, |b|); `nil` for none.
    public var relative: Double?

    /// Creates a tolerance of nothing.
    public init() {}

    /// Whether all differences of a tensor are within one of the limits.
    public func covers(_ row: DiffFinding.TensorRow) -> Bool {
      guard absolute != nil || relative != nil, let elements = row.elements,
        elements.nanCount == 0
      else { return false }
      // Types that are not numbers have a count but no sizes.
      guard elements.count == 0 || elements.absolute != nil else { return false }
      if let absolute, elements.absolute?.value ?? 0 <= absolute { return true }
      if let relative, elements.relative?.value ?? 0 <= relative { return true }
      return false
    }
  }

  /// The first checkpoint, as it was given.
  public var first: String
  /// The second checkpoint, as it was given.
  public var second: String
  /// The compared files.
  public var files: [DiffFinding] = []
  /// The parts that only one checkpoint has, and other files that differ.
  public var differences: [Difference] = []
  /// The files that could not be compared, with their errors.
  public var failures: [(input: String, error: CheckpointError)] = []
  /// The limits below which differences of elements do not count.
  public var tolerance: Tolerance

  /// Creates an empty report.
  public init(first: String, second: String, tolerance: Tolerance = Tolerance()) {
    self.first = first
    self.second = second
    self.tolerance = tolerance
  }

  /// Whether everything was compared and no difference counts.
  public var isEqual: Bool { failures.isEmpty && !hasDifferences }

  /// Whether any difference counts.
  public var hasDifferences: Bool {
    !differences.isEmpty
      || !files.allSatisfy { file in
        file.renamed.isEmpty && file.unpaired.isEmpty && file.others.isEmpty
          && file.tensors.allSatisfy(tolerance.covers)
      }
  }

  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public func json(_ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("first", first)
    json.member("second", second)
    json.member("equal", isEqual)
    json.key("files")
    json.beginArray()
    for file in files { write(file, to: &json) }
    json.endArray()
    VerifyReport.write(differences, to: &json)
    json.write(failures, wording)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func write(_ file: DiffFinding, to json: inout JSONWriter) {
    json.beginObject()
    json.member("first", file.first)
    json.member("second", file.second)
    json.member("compared", file.comparedCount)
    json.key("tensors")
    json.beginArray()
    for row in file.tensors { write(row, to: &json) }
    json.endArray()
    json.key("renamed")
    json.beginArray()
    for renaming in file.renamed {
      json.beginObject()
      json.member("first", renaming.first)
      json.member("second", renaming.second)
      json.endObject()
    }
    json.endArray()
    VerifyReport.write(file.unpaired + file.others, to: &json)
    json.member("warnings", file.warnings)
    json.endObject()
  }

  private func write(_ row: DiffFinding.TensorRow, to json: inout JSONWriter) {
    let elements = row.elements ?? ElementDifferences()
    json.beginObject()
    json.member("name", row.name)
    json.member("first_dtype", row.firstType)
    json.member("second_dtype", row.secondType)
    json.member("shape", row.shape)
    json.member("elements", row.elementCount)
    json.member("differing", elements.count)
    json.member("differing_in_bits", elements.bitCount)
    json.member("nan_on_one_side", elements.nanCount)
    json.key("relative_change")
    if let change = elements.relativeChange { json.number(rounded(change)) } else { json.null() }
    write("max_abs", elements.absolute, row, to: &json)
    write("max_rel", elements.relative, row, to: &json)
    json.member("within_tolerance", tolerance.covers(row))
    json.endObject()
  }

  /// Returns a number with seven digits, which do not depend on the order of a sum.
  private func rounded(_ value: Double) -> Double { Double(Float(value).description) ?? value }

  private func write(
    _ name: String, _ maximum: ElementDifferences.Maximum?, _ row: DiffFinding.TensorRow,
    to json: inout JSONWriter
  ) {
    json.key(name)
    guard let maximum else { return json.null() }
    json.beginObject()
    json.key("value")
    // JSON has no infinity.
    if maximum.value.isFinite { json.number(maximum.value) } else { json.string("inf") }
    json.member("at", row.indices(of: maximum))
    json.endObject()
  }
}

extension DiffReport {
  /// Compares two checkpoints file by file: tensors by name, and their elements as numbers.
  ///
  /// A file that cannot be compared is listed in ``failures``; the others are still compared.
  ///
  /// - Parameters:
  ///   - first: a file, the index of a sharded checkpoint, or a directory.
  ///   - second: the same for the other checkpoint.
  ///   - tolerance: the maximum ignored difference between elements.
  ///   - reading: the options for reading.
  ///   - budget: the threads, memory and cancellation.
  ///   - progress: receives the bytes done and to do, file by file, on any thread.
  /// - Throws: ``CheckpointError``: `inputOutput` if a path does not exist, `unsupported` if
  ///   nothing can be compared, `cancelled`.
  public init(
    of first: String, and second: String, tolerance: Tolerance = Tolerance(),
    _ reading: ReadingOptions = ReadingOptions(), budget: CopyBudget = CopyBudget(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    self.init(first: first, second: second, tolerance: tolerance)
    let pairing = try FilePairing(of: first, and: second)
    differences = pairing.differences
    var progress = try pairing.progress(progress)
    for pair in pairing.pairs {
      let part = progress.next()
      do throws(CheckpointError) {
        if pair.isCarried {
          if let found = ConfigurationDifferences.find(in: pair) {
            differences += found
          } else {
            differences += try VerifyFinding(of: pair, budget: budget, progress: part).differences
          }
        } else {
          files.append(try DiffFinding(of: pair, reading, budget: budget, progress: part))
        }
      } catch {
        guard error.code != .cancelled else { throw error }
        failures.append((pair.first, error))
      }
    }
  }
}

extension DiffFinding.TensorRow {
  /// Returns the indices of the element with a maximum.
  public func indices(of maximum: ElementDifferences.Maximum) -> [Int] {
    Tensor.indices(ofElement: maximum.element, in: shape)
  }
}

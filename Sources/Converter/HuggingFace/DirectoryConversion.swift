public import CkptBase
public import CkptConvert
public import CkptCopy
public import CkptFormats
internal import CkptJSON
public import CkptModels

/// A conversion of one directory to another, which appears complete or not at all.
package protocol DirectoryConversion: Sendable {
  /// Options for the directory that is written.
  var folder: DirectoryOptions { get set }

  /// Whether a directory that holds files of these names can be converted.
  func takes(directoryHolding names: Set<String>) -> Bool

  /// The files that converting `input` reads, those that options name included; decided by names and
  /// places, and the index of weights in several files.
  ///
  /// - Throws: `inputOutput` when there is no such directory, what reading an index throws.
  func sources(of input: String) throws(CheckpointError) -> [String]

  /// The bytes that converting `input` would write, found without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  func measure(_ input: String, to output: String) throws(CheckpointError) -> Int

  /// Converts the directory `input` to the directory `output`.
  ///
  /// - Returns: what was written and what became of the configuration.
  /// - Throws: ``CheckpointError`` with the file or tensor in its path.
  func run(
    _ input: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> DirectoryReport
}

/// Options for the directory that a checkpoint is converted to.
public struct DirectoryOptions: Sendable {
  /// Options for reading checkpoints.
  public var reading = ReadingOptions()
  /// Options for writing the files.
  public var writing = WritingOptions()
  /// Threads and memory that it may use.
  public var budget = CopyBudget()
  /// The hidden directory in which the files are until all are complete; `nil` for a new one beside
  /// the output.
  package var hiddenDirectory: String?

  /// The defaults.
  public init() {}
}

/// The outcome of converting a checkpoint as a whole, its configuration included.
public struct DirectoryReport: Sendable {
  /// The files written.
  public internal(set) var outputs: [Conversion.Output] = []
  /// The outcome of every field of the configuration.
  public internal(set) var configuration = FieldReport()
  /// Warnings about the whole.
  public internal(set) var warnings: [Notice] = []
  /// Things that could have been done and were not asked for.
  public internal(set) var notes: [Notice] = []
  /// How OLMo's trainer takes up what was written; `nil` for other outputs.
  public internal(set) var trainerStart: TrainerStart?
}

/// How `scripts/train.py` of OLMo goes on from a directory (`load_path` and its relatives in
/// `olmo/config.py`).
public struct TrainerStart: Hashable, Sendable {
  /// The directory that is loaded.
  public let directory: String
  /// Whether the optimizer begins anew, since the directory has no state of it.
  public let resetsOptimizer: Bool
  /// Whether the trainer begins anew, since the directory has no state of it.
  public let resetsTrainer: Bool
}

extension DirectoryReport {
  /// What the user should know, about the configuration too.
  public var allWarnings: [Notice] { warnings + configuration.warnings }

  /// How many fields of the configuration became what; `nil` for none.
  public var configurationSummary: String? {
    let entries = configuration.entries
    guard !entries.isEmpty else { return nil }
    var parts: [String] = []
    for status in [FieldReport.Status.mapped, .derived, .defaulted, .notRepresentable] {
      let count = entries.count { $0.status == status }
      if count > 0 { parts.append("\(count) \(status.rawValue)") }
    }
    let carried = entries.count(where: \.isCarried)
    if carried > 0 { parts.append("\(carried) carried along") }
    return parts.joined(separator: ", ")
  }
}

extension DirectoryReport {
  /// Writes the report as one JSON object; `Documentation/json.md` describes its members.
  ///
  /// - Parameters:
  ///   - trainerFlags: ``trainerStart`` as flags of OLMo's trainer.
  ///   - wording: puts remedies into words.
  /// - Returns: the object.
  public func json(trainerFlags: [String], _ wording: Remedy.Wording) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.key("outputs")
    json.beginArray()
    for output in outputs { output.write(to: &json) }
    json.endArray()
    json.key("configuration")
    configuration.write(to: &json)
    json.member("warnings", allWarnings.map { $0.sentence(wording) })
    json.member("notes", notes.map { $0.sentence(wording) })
    json.member("trainer_flags", trainerFlags)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

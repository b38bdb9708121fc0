public import CkptBase
internal import CkptCheckpoints
package import CkptCompare
public import CkptConvert
public import CkptCopy
public import CkptFormats
internal import CkptJSON
public import CkptModels

/// A conversion of one directory to another.
///
/// The output appears complete or not at all.
package protocol DirectoryConversion: Sendable {
  /// The options for the output directory.
  var folder: DirectoryOptions { get set }

  /// Whether the input can be restored from the output.
  var keepsEverything: Bool { get }

  /// Whether a directory with these file names can be converted.
  func takes(directoryHolding names: Set<String>) -> Bool

  /// Returns the files that a conversion of `input` reads, including those of the options. It uses
  /// only names, locations and the index of sharded weights.
  ///
  /// - Throws: `inputOutput` if the directory does not exist, and the errors of reading an index.
  func sources(of input: String) throws(CheckpointError) -> [String]

  /// Plans the output directory, without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  func plan(_ input: FilePath, _ output: String) throws(CheckpointError) -> DirectoryPlan

  /// Compares the directory `written`, before it appears, with the input.
  ///
  /// - Throws: the errors of reading.
  func verify(
    _ input: FilePath, _ written: String, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyReport

  /// Converts the directory `input` to the directory `output`.
  ///
  /// - Returns: the output files and the outcome of the configuration.
  /// - Throws: ``CheckpointError`` with the file or tensor in its path.
  func run(
    _ input: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(CheckpointError) -> DirectoryReport
}

extension DirectoryConversion {
  /// Returns the number of bytes that a conversion of `input` will write, without reading tensors.
  ///
  /// - Throws: ``CheckpointError`` for an input that cannot be converted.
  package func measure(_ input: String, to output: String) throws(CheckpointError) -> Int {
    try plan(FilePath(input), output).byteCount
  }

  /// Plans and writes the directory `output`, and compares it with the input if the options say so.
  ///
  /// - Throws: ``CheckpointError`` with the file or tensor in its path.
  package func convert(
    _ input: String, to output: String, progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> DirectoryReport {
    let input = FilePath(input)
    let writer = DirectoryWriter(output, folder) { written, progress throws(CheckpointError) in
      try verify(input, written, progress)
    }
    return try writer.write(progress: progress) { () throws(CheckpointError) in
      try plan(input, output)
    }
  }

  /// Compares contents that were planned with the files or directories that were written from them.
  ///
  /// - Throws: the errors of reading.
  package func compare(
    _ parts: [(contents: Checkpoint, source: String, written: String)], of input: FilePath,
    _ directory: String, _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> VerifyReport {
    var report = VerifyReport(first: input.text, second: directory)
    var progress = PartProgress(
      parts.map { part in part.contents.graph.tensors.reduce(0) { $0 + $1.byteCount } },
      report: progress)
    for part in parts {
      var contents = part.contents
      // Planned contents are in no file.
      contents.container = nil
      report.findings.append(
        try VerifyFinding(
          of: contents, part.source, and: CheckpointFile.read(part.written, folder.reading),
          part.written, budget: folder.budget, progress: progress.next()))
    }
    return report
  }
}

/// The caller's choices for an output directory.
public struct DirectoryOptions: Sendable {
  /// The options for reading checkpoints.
  public var reading = ReadingOptions()
  /// The options for writing files.
  public var writing = WritingOptions()
  /// Whether to read the outputs again and compare them with the input before they appear.
  public var verifiesOutputs = false
  /// The threads and memory that the conversion may use.
  public var budget = CopyBudget()
  /// The hidden directory for incomplete files; `nil` creates a new one beside the output.
  package var hiddenDirectory: String?

  /// Creates the default options.
  public init() {}
}

/// The report of a converted checkpoint directory and its configuration.
public struct DirectoryReport: Sendable {
  /// The output files.
  public internal(set) var outputs: [Conversion.Output] = []
  /// The outcome of every field of the configuration.
  public internal(set) var configuration = FieldReport()
  /// Warnings about the whole conversion.
  public internal(set) var warnings: [Notice] = []
  /// Hints about options that were not used.
  public internal(set) var notes: [Notice] = []
  /// Whether the input has states that were not converted.
  package internal(set) var isPartial = false
  /// The way to start OLMo's trainer from the output; `nil` for other outputs.
  public internal(set) var trainerStart: TrainerStart?
}

/// The way to start `scripts/train.py` of OLMo from a directory (`load_path` and related fields in
/// `olmo/config.py`).
public struct TrainerStart: Hashable, Sendable {
  /// The directory to load.
  public let directory: String
  /// Whether the optimizer starts anew, because the directory has no state for it.
  public let resetsOptimizer: Bool
  /// Whether the trainer starts anew, because the directory has no state for it.
  public let resetsTrainer: Bool
}

extension DirectoryReport {
  /// All warnings, including those about the configuration.
  public var allWarnings: [Notice] { warnings + configuration.warnings }
}

extension DirectoryReport {
  /// Returns the report as one JSON object; `Documentation/json.md` describes its members.
  ///
  /// - Parameters:
  ///   - trainerFlags: ``trainerStart`` as flags of OLMo's trainer.
  ///   - wording: the function that turns remedies into words.
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

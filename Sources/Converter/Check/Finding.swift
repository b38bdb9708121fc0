public import CkptBase
internal import CkptFormats
internal import CkptGraph

/// A finding of a check.
public struct Finding: Hashable, Sendable {
  /// The severity of a finding.
  @nonexhaustive
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// Something is broken, missing or in the wrong place.
    case problem
    /// It works, but probably not as intended.
    case warning
    /// It is useful to know.
    case note
  }

  /// The subject of a finding.
  @nonexhaustive
  public enum Topic: String, Hashable, Sendable, CaseIterable {
    /// The presence of files.
    case files
    /// The content of a file: whether it has the right kind and is complete and undamaged.
    case content
    /// The configuration.
    case configuration
    /// The names, shapes and dtypes of the model's tensors.
    case tensors
    /// The optimizer state.
    case optimizer
    /// The step numbers.
    case steps
    /// The values of tensors.
    case values
    /// Whether a program loads it.
    case loading
  }

  /// The severity.
  public var severity: Severity
  /// The subject.
  public var topic: Topic
  /// The file or directory.
  public var path: String
  /// The finding, with the expected value: a sentence without capital and full stop.
  public var message: String
  /// The remedy, if there is one.
  public var remedy: Remedy?

  /// The message and the remedy.
  public var notice: Notice { Notice(message, remedy: remedy) }

  init(
    _ severity: Severity, _ topic: Topic, at path: String, _ message: String,
    remedy: Remedy? = nil
  ) {
    self.severity = severity
    self.topic = topic
    self.path = path
    self.message = message
    self.remedy = remedy
  }

  /// Creates a problem from an error.
  init(_ error: CheckpointError, _ topic: Topic, at path: String) {
    var error = error
    if error.path.first == path { error.path.removeFirst() }
    self.init(.problem, topic, at: path, error.description, remedy: error.remedy)
  }
}

/// The state of a check.
struct CheckRecord {
  /// The options for reading.
  var reading = ReadingOptions()
  /// The findings.
  var findings: [Finding] = []
  /// The checked parts, in words.
  var examined: [String] = []
  /// The files with tensors, for ``ContentCheck``.
  private(set) var files: [StateFile] = []

  /// Reads the structure of the checkpoint at `path`.
  ///
  /// Its warnings become findings.
  ///
  /// - Throws: an error if it cannot be read.
  mutating func read(_ path: String) throws(CheckpointError) -> Checkpoint {
    // A directory with weights would be read as a file.
    guard try FilePath(path).status()?.isDirectory != true else { throw CheckpointError.directory }
    let checkpoint = try CheckpointFile.read(path, reading)
    add(checkpoint, at: path)
    return checkpoint
  }

  /// Records a checkpoint that was read already.
  mutating func add(_ checkpoint: Checkpoint, at path: String) {
    findings += checkpoint.warnings.map { Finding(.warning, .content, at: path, $0) }
    files.append(StateFile(path: path, checkpoint: checkpoint))
  }

  /// Records a file that cannot be read, with the error.
  mutating func note(_ error: CheckpointError, keptFromReading path: String) {
    findings.append(Finding(error, .content, at: path))
    files.append(StateFile(path: path, checkpoint: nil))
  }
}

/// One of the states in an OLMo checkpoint directory: its file and contents.
struct StateFile {
  /// The file; of two, the one that the trainer reads.
  let path: String
  /// The contents; `nil` if they could not be read.
  let checkpoint: Checkpoint?
}

public import CkptBase
internal import CkptFormats
internal import CkptGraph

/// Something that an examination has found.
public struct Finding: Hashable, Sendable {
  /// How much it matters.
  @nonexhaustive
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// Something is broken, missing, or does not belong together.
    case problem
    /// It works, but hardly as it was meant.
    case warning
    /// Worth knowing.
    case note
  }

  /// What it is about.
  @nonexhaustive
  public enum Topic: String, Hashable, Sendable, CaseIterable {
    /// Which files there are.
    case files
    /// Whether a file is what it says, whole and undamaged.
    case content
    /// What the configuration says.
    case configuration
    /// Names, shapes and element types of the model's tensors.
    case tensors
    /// The optimizer's state.
    case optimizer
    /// Numbers of steps.
    case steps
    /// The numbers in the tensors.
    case values
    /// Whether a program would load it.
    case loading
  }

  /// How much it matters.
  public var severity: Severity
  /// What it is about.
  public var topic: Topic
  /// The file or directory.
  public var path: String
  /// What was found against what was expected: a sentence without capital and full stop.
  public var message: String
  /// What to do about it, where there is something.
  public var remedy: Remedy?

  /// The message and what to do.
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

  /// A problem that an error tells of.
  init(_ error: CheckpointError, _ topic: Topic, at path: String) {
    var error = error
    if error.path.first == path { error.path.removeFirst() }
    self.init(.problem, topic, at: path, error.description, remedy: error.remedy)
  }
}

/// What an examination has seen so far.
struct CheckRecord {
  /// What was found.
  var findings: [Finding] = []
  /// What was looked at, in words.
  var examined: [String] = []
  /// The files with tensors, for ``ContentCheck``.
  private(set) var files: [StateFile] = []

  /// Reads the structure of the checkpoint at `path`; its warnings are findings.
  ///
  /// - Throws: what keeps it from being read.
  mutating func read(_ path: String) throws(CheckpointError) -> Checkpoint {
    // A folder of weights would be read as a file.
    guard try FilePath(path).status()?.isDirectory != true else { throw CheckpointError.directory }
    let checkpoint = try CheckpointFile.read(path)
    findings += checkpoint.warnings.map { Finding(.warning, .content, at: path, $0) }
    files.append(StateFile(path: path, checkpoint: checkpoint))
    return checkpoint
  }

  /// Notes a file that cannot be read, and why.
  mutating func note(_ error: CheckpointError, keptFromReading path: String) {
    findings.append(Finding(error, .content, at: path))
    files.append(StateFile(path: path, checkpoint: nil))
  }
}

/// One of the states in an OLMo checkpoint directory: where it is and what is in it.
struct StateFile {
  /// The file, or the one that the trainer would take of two.
  let path: String
  /// What is in it; `nil` where it could not be read.
  let checkpoint: Checkpoint?
}

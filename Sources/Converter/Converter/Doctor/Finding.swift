internal import Bytes

/// Something that an examination has found.
public struct Finding: Hashable, Sendable {
  /// How much it matters.
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// Something is broken, missing, or does not belong together.
    case problem
    /// It works, but hardly as it was meant.
    case warning
    /// Worth knowing.
    case note
  }

  /// What it is about.
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
  public var remedy: String?

  /// The message and what to do.
  public var sentence: String { [message, remedy].compactMap(\.self).joined(separator: "; ") }

  init(
    _ severity: Severity, _ topic: Topic, at path: String, _ message: String,
    remedy: String? = nil
  ) {
    self.severity = severity
    self.topic = topic
    self.path = path
    self.message = message
    self.remedy = remedy
  }

  /// A problem that an error tells of.
  init(_ error: FormatError, _ topic: Topic, at path: String) {
    var error = error
    if error.path.first == path { error.path.removeFirst() }
    self.init(.problem, topic, at: path, error.description, remedy: error.hint)
  }
}

package import Bytes
package import Formats

/// What a batch does to each of its inputs.
///
/// A verb knows what it takes and what it would read and write; the batch knows everything else:
/// order, threads, journal, retries, reports. To add one, write a type like ``FolderVerb``.
package protocol BatchVerb: Sendable {
  /// The word that calls it.
  var name: String { get }
  /// Whether it writes files: then a batch needs a root.
  var writes: Bool { get }
  /// Whether it compares inputs with the tree below the root.
  var comparesWithRoot: Bool { get }
  /// Whether outputs can be compared with their inputs.
  var canVerify: Bool { get }
  /// Whether outputs are compared with their inputs before they count as done.
  var verifies: Bool { get }
  /// What the files that it takes are usually called at their end, without the dot.
  var fileExtensions: [String] { get }

  /// Whether a directory that holds files of these names is an input.
  func takes(directoryHolding names: Set<String>) -> Bool

  /// Whether it is one if there is none below it: what is left of a checkpoint.
  func takesRemains(directoryHolding names: Set<String>) -> Bool

  /// Whether a file of that kind is an input.
  func takes(_ kind: FileKind) -> Bool

  /// Decides what is read and written for one input, by names and places alone.
  ///
  /// - Throws: ``FormatError`` for an input that is missing or of another kind.
  func work(on input: String, into place: OutputPlace) throws(FormatError) -> any BatchWork
}

extension BatchVerb {
  /// Whether it can do nothing without a root.
  package var needsRoot: Bool { writes || comparesWithRoot }
  /// No: most verbs look at one tree.
  package var comparesWithRoot: Bool { false }
  /// No: most verbs need what they work on.
  package func takesRemains(directoryHolding names: Set<String>) -> Bool { false }
  /// No: most verbs have nothing to compare.
  package var canVerify: Bool { false }
  /// No: most verbs have nothing to compare.
  package var verifies: Bool { false }
}

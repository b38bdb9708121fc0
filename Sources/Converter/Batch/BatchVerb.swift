package import Bytes
package import Formats

/// What a batch does to each of its inputs.
///
/// A verb knows what it takes and what it would read and write; the batch knows everything else:
/// order, threads, journal, retries, reports. To add one, write a type like ``ConversionVerb``.
package protocol BatchVerb: Sendable {
  /// The word that calls it.
  var name: String { get }
  /// Whether it writes files: then a batch needs a root.
  var writes: Bool { get }
  /// Whether outputs are compared with their inputs before they count as done.
  var verifies: Bool { get }
  /// What the files that it takes are usually called at their end, without the dot.
  var fileExtensions: [String] { get }

  /// Whether a directory that holds files of these names is an input.
  func takes(directoryHolding names: Set<String>) -> Bool

  /// Whether a file of that kind is an input.
  func takes(_ kind: FileKind) -> Bool

  /// Decides what is read and written for one input, by names and places alone.
  ///
  /// - Throws: ``FormatError`` for an input that is missing or of another kind.
  func work(on input: String, into place: OutputPlace) throws(FormatError) -> any BatchWork
}

/// Where the output of one input belongs.
package struct OutputPlace: Hashable, Sendable {
  /// The directory that corresponds to the one that holds the input.
  package var directory: String
  /// The input's name in it.
  package var name: String

  /// A place for an input called `name`.
  package init(directory: String, name: String) {
    self.directory = directory
    self.name = name
  }
}

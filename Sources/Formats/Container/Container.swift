package import CkptBase

/// A kind of thing that a checkpoint comes in: a kind of file, or of directory.
///
/// A type for each kind stands in the registry, `Containers` in the module Formats, and answers four
/// questions: whether a source is of its kind, what its structure is, what can be wrong with it, and
/// whether and how it is written. `Documentation/adding-a-format.md` does it by example.
package protocol Container: Sendable {
  /// The name that tells the kind from others, such as `safetensors`.
  var name: String { get }
  /// The format of its files; `nil` for what consists of several.
  var format: CheckpointFormat? { get }
}

/// A kind of file.
package protocol FileContainer: Container {
  /// Whether a file with these first bytes is of the kind.
  ///
  /// - Throws: `inputOutput` when the file cannot be read.
  func recognizesStart(of look: inout SourceLook) throws(CheckpointError) -> Bool

  /// Whether a file whose first bytes tell nothing is of the kind by its last ones.
  ///
  /// - Throws: `inputOutput` when the file cannot be read.
  func recognizesEnd(of look: inout SourceLook) throws(CheckpointError) -> Bool

  /// Whether a file that is to be read and begins like other files too is of the kind by its
  /// contents, all of which may be read.
  ///
  /// - Throws: `inputOutput` when the file cannot be read.
  func recognizesContents(of look: inout SourceLook) throws(CheckpointError) -> Bool

  /// The fault of a file that is no longer of the kind but was, such as one that was cut off; `nil`
  /// for other files.
  ///
  /// - Throws: `inputOutput` when the file cannot be read.
  func fault(of look: inout SourceLook) throws(CheckpointError) -> CheckpointError?

  /// Reads the structure of a file of the kind, and none of its tensor data.
  ///
  /// - Throws: ``CheckpointError`` with the file in its path.
  func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint
}

extension FileContainer {
  /// No: most kinds are told by their first bytes.
  package func recognizesEnd(of look: inout SourceLook) throws(CheckpointError) -> Bool { false }
  /// No: most kinds are told by their first bytes.
  package func recognizesContents(
    of look: inout SourceLook
  ) throws(CheckpointError) -> Bool { false }
  /// None: most readers say themselves what is wrong with a file.
  package func fault(
    of look: inout SourceLook
  ) throws(CheckpointError) -> CheckpointError? { nil }
}

/// A kind of directory.
package protocol DirectoryContainer: Container {
  /// Whether a directory with entries of these names is of the kind.
  func recognizes(entries: Set<String>) -> Bool

  /// Reads the structure of a directory of the kind, and no tensor data; `nil` where it is not of the
  /// kind after all.
  ///
  /// - Throws: ``CheckpointError`` with the directory or a file of it in its path.
  func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint?
}

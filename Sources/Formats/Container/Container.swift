package import CkptBase

/// A kind of container for checkpoints: a kind of file or of directory.
///
/// The registry (`Containers` in the module Formats) has one type for each kind. A type answers
/// four questions. Is a source of this kind? What is its structure? What is wrong with it? Can it
/// be written, and how? `Documentation/adding-a-format.md` shows an example.
package protocol Container: Sendable {
  /// The unique name of the kind, such as `safetensors`.
  var name: String { get }
  /// The format of its files; `nil` for a container of several files.
  var format: CheckpointFormat? { get }
}

/// A kind of file.
package protocol FileContainer: Container {
  /// Whether a file with these first bytes is of the kind.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  func recognizesStart(of look: inout SourceLook) throws(CheckpointError) -> Bool

  /// Whether a file is of the kind by its last bytes, if its first bytes do not tell.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  func recognizesEnd(of look: inout SourceLook) throws(CheckpointError) -> Bool

  /// Whether a file is of the kind by its contents, all of which may be read. The reader asks this
  /// for beginnings that several kinds share.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  func recognizesContents(of look: inout SourceLook) throws(CheckpointError) -> Bool

  /// Returns the fault of a damaged file of this kind, such as a truncated one; `nil` for other
  /// files.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
  func fault(of look: inout SourceLook) throws(CheckpointError) -> CheckpointError?

  /// Reads the structure of a file, without tensor data.
  ///
  /// - Throws: ``CheckpointError`` with the file in its path.
  func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint
}

extension FileContainer {
  /// Returns false: most kinds are recognized by their first bytes.
  package func recognizesEnd(of look: inout SourceLook) throws(CheckpointError) -> Bool { false }
  /// Returns false: most kinds are recognized by their first bytes.
  package func recognizesContents(
    of look: inout SourceLook
  ) throws(CheckpointError) -> Bool { false }
  /// Returns `nil`: most readers report faults themselves.
  package func fault(
    of look: inout SourceLook
  ) throws(CheckpointError) -> CheckpointError? { nil }
}

/// A kind of directory.
package protocol DirectoryContainer: Container {
  /// Whether no file in the directory stands for the checkpoint: its files are parts of it.
  var needsWholeDirectory: Bool { get }

  /// Whether a directory with entries of these names is of the kind.
  func recognizes(entries: Set<String>) -> Bool

  /// Reads the structure of a directory without tensor data; `nil` if it is not of the kind after
  /// all.
  ///
  /// - Throws: ``CheckpointError`` with the directory or one of its files in the path.
  func read(
    _ directory: FilePath, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint?
}

package import Bytes

/// A conversion of one directory to another, which appears complete or not at all.
package protocol FolderConversion: Sendable {
  /// What holds for the directory that is written.
  var folder: FolderOptions { get set }

  /// Whether a directory that holds files of these names can be converted.
  func takes(directoryHolding names: Set<String>) -> Bool

  /// The files that converting `input` reads, those that options name included; decided by names and
  /// places, and the index of weights in several files.
  ///
  /// - Throws: `inputOutput` when there is no such directory, what reading an index throws.
  func sources(of input: String) throws(FormatError) -> [String]

  /// The bytes that converting `input` would write, found without reading tensors.
  ///
  /// - Throws: ``FormatError`` for an input that cannot be converted.
  func measure(_ input: String, to output: String) throws(FormatError) -> Int

  /// Converts the directory `input` to the directory `output`.
  ///
  /// - Returns: what was written and what became of the configuration.
  /// - Throws: ``FormatError`` with the file or tensor in its path.
  func run(
    _ input: String, to output: String,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws(FormatError) -> FolderReport
}

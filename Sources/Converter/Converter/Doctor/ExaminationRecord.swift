internal import Bytes
internal import Formats

/// What an examination has seen so far.
struct ExaminationRecord {
  /// What was found.
  var findings: [Finding] = []
  /// What was looked at, in words.
  var examined: [String] = []
  /// The files with tensors, for ``ContentCheck``.
  private(set) var files: [StateFile] = []

  /// Reads the structure of the checkpoint at `path`; its warnings are findings.
  ///
  /// - Throws: what keeps it from being read.
  mutating func read(_ path: String) throws(FormatError) -> Checkpoint {
    // A folder of weights would be read as a file.
    guard try FilePath(path).status()?.isDirectory != true else { throw FormatError.directory }
    let checkpoint = try CheckpointFile.read(path)
    findings += checkpoint.warnings.map { Finding(.warning, .content, at: path, $0) }
    files.append(StateFile(path: path, checkpoint: checkpoint))
    return checkpoint
  }

  /// Notes a file that cannot be read, and why.
  mutating func note(_ error: FormatError, keptFromReading path: String) {
    findings.append(Finding(error, .content, at: path))
    files.append(StateFile(path: path, checkpoint: nil))
  }
}

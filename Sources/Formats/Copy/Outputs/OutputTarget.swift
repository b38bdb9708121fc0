package import CkptBase

/// The target of an output: a file or the standard output.
public enum OutputTarget: Hashable, Sendable, CustomStringConvertible {
  /// A file, by its path.
  case file(String)
  /// The standard output, which takes one output.
  case standardOutput

  /// The path of the file; `nil` for the standard output.
  public var path: String? {
    guard case .file(let path) = self else { return nil }
    return path
  }

  /// The path of the file, or `-` for the standard output.
  public var description: String { path ?? "-" }

  /// Opens the target.
  ///
  /// Nothing appears there yet.
  ///
  /// - Throws: `inputOutput` if the name is taken, or if the directory is not writable, or missing
  ///   and not to be created.
  package func open(
    _ options: WritingOptions, in directories: OutputDirectories? = nil
  ) throws(CheckpointError) -> OpenOutput {
    switch self {
    case .file(let path): .file(try StagedOutput(path: path, options, in: directories))
    case .standardOutput: .stream(StreamOutput())
    }
  }
}

/// An open output that waits for its bytes.
package enum OpenOutput: Sendable {
  /// A file that appears on commit.
  case file(StagedOutput)
  /// A stream, whose bytes cannot be taken back.
  case stream(StreamOutput)

  /// The destination of a plan.
  package var destination: any CopyDestination {
    switch self {
    case .file(let file): file
    case .stream(let stream): stream
    }
  }

  /// The file to commit; `nil` for a stream.
  package var file: StagedOutput? {
    guard case .file(let file) = self else { return nil }
    return file
  }
}

/// The caller's choices for writing files.
public struct WritingOptions: Hashable, Sendable {
  /// Whether existing files are replaced; otherwise they are an error.
  public var replacesExisting: Bool
  /// Whether files are synced to the disk before they appear.
  public var synchronizes: Bool

  /// Creates options.
  public init(replacesExisting: Bool = false, synchronizes: Bool = false) {
    self.replacesExisting = replacesExisting
    self.synchronizes = synchronizes
  }
}

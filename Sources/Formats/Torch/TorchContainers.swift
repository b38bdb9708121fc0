package import CkptBase
package import CkptContainer
internal import CkptZip

/// The ZIP archive of `torch.save` and `torch.jit.save`.
package struct TorchArchiveContainer: FileContainer {
  /// The name of the container.
  package var name: String { "torch-zip" }
  /// The format of `torch.save`.
  package var format: CheckpointFormat? { .torch }

  /// Creates the container.
  package init() {}

  /// Whether the file begins and ends like an archive.
  package func recognizesStart(of look: inout SourceLook) throws(CheckpointError) -> Bool {
    guard look.beginsLikeArchive else { return false }
    return try look.archiveEnd().isPresent
  }

  /// Whether an archive follows other bytes: `torch.save` can write to the middle of a stream.
  ///
  /// The signature alone proves nothing: programs that read ZIP files contain it too.
  package func recognizesEnd(of look: inout SourceLook) throws(CheckpointError) -> Bool {
    guard try look.archiveEnd().isPresent else { return false }
    return (try? look.zipDirectory()) != nil
  }

  /// Returns the error for a truncated archive, with the number of missing bytes if its beginning
  /// gives it.
  package func fault(of look: inout SourceLook) throws(CheckpointError) -> CheckpointError? {
    guard look.beginsLikeArchive, try !look.archiveEnd().isPresent else { return nil }
    return try TruncatedArchive(look.source)?.error(readFrom: look.source)
  }

  /// Reads the archive.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    let directory = try CheckpointError.within(look.source.name) { () throws(CheckpointError) in
      try look.zipDirectory()
    }
    return try TorchReader.read(directory, droppingUnsafe: options.dropsUnsafe)
  }
}

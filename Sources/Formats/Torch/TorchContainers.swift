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

/// The sequence of pickles that `torch.save` wrote before PyTorch 1.6; recognized and refused.
package struct LegacyTorchContainer: FileContainer {
  /// The name of the container.
  package var name: String { "torch-legacy" }
  /// The format of `torch.save`.
  package var format: CheckpointFormat? { .torch }

  /// The magic number as protocol 2 and later pickle it (`torch/serialization.py`).
  private static let magic: [UInt8] = [
    0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
  ]

  /// Creates the container.
  package init() {}

  /// Whether the file begins with the magic number.
  package func recognizesStart(of look: inout SourceLook) -> Bool {
    let head = look.head
    if head.starts(with: "L119547037146038801333356L\n.".utf8) { return true }
    guard head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) else { return false }
    // Protocol 4 and later put a frame header of nine bytes before the first object.
    return head.dropFirst(2 + (head[2] == 0x95 ? 9 : 0)).starts(with: Self.magic)
  }

  /// Refuses the file.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    throw CheckpointError(
      .unsupported, "this file has the format of PyTorch before 1.6, which is not supported",
      remedy: "load it with torch.load of a newer PyTorch and save it again with torch.save"
    ).framed(by: look.source.name)
  }
}

package import CkptBase
package import CkptContainer
internal import CkptZip

/// The ZIP archive of `torch.save` and `torch.jit.save`.
package struct TorchArchiveContainer: FileContainer {
  /// Its name.
  package var name: String { "torch-zip" }
  /// The format of `torch.save`.
  package var format: CheckpointFormat? { .torch }

  /// The container.
  package init() {}

  /// Whether the file begins and ends as archives do.
  package func recognizesStart(of look: inout SourceLook) throws(CheckpointError) -> Bool {
    guard look.beginsLikeArchive else { return false }
    return try look.archiveEnd().isPresent
  }

  /// Whether an archive stands behind other bytes: `torch.save` may have written to a stream.
  ///
  /// The mark alone does not prove it: programs that read ZIP files contain it too.
  package func recognizesEnd(of look: inout SourceLook) throws(CheckpointError) -> Bool {
    guard try look.archiveEnd().isPresent else { return false }
    return (try? look.zipDirectory()) != nil
  }

  /// The number of bytes that are missing, where the beginning of an archive tells.
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

/// The stack of pickles that `torch.save` wrote before PyTorch 1.6, which is recognized and refused.
package struct LegacyTorchContainer: FileContainer {
  /// Its name.
  package var name: String { "torch-legacy" }
  /// The format of `torch.save`.
  package var format: CheckpointFormat? { .torch }

  /// The magic number as protocol 2 and later pickle it (`torch/serialization.py`).
  private static let magic: [UInt8] = [
    0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
  ]

  /// The container.
  package init() {}

  /// Whether the file begins with the magic number.
  package func recognizesStart(of look: inout SourceLook) -> Bool {
    let head = look.head
    if head.starts(with: "L119547037146038801333356L\n.".utf8) { return true }
    guard head.count > 2, head[0] == 0x80, (2...5).contains(head[1]) else { return false }
    // Protocol 4 and up put a frame of nine bytes before the first object.
    return head.dropFirst(2 + (head[2] == 0x95 ? 9 : 0)).starts(with: Self.magic)
  }

  /// Refuses the file.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    throw CheckpointError(
      .unsupported, "this file has the format of PyTorch before 1.6, which is not read",
      remedy: "load it with torch.load and save it with torch.save of a later PyTorch"
    ).framed(by: look.source.name)
  }
}

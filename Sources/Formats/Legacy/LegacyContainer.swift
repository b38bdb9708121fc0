package import CkptBase
package import CkptContainer
internal import CkptPickle

/// The file of `torch.save` before PyTorch 1.6, and with `_use_new_zipfile_serialization=False`.
package struct LegacyContainer: FileContainer {
  /// Its name.
  package var name: String { "torch-legacy" }
  /// The format of `torch.save`.
  package var format: CheckpointFormat? { .torch }

  /// The container.
  package init() {}

  /// The beginnings that `torch.save` writes: the magic number in protocols 0 and 1, in 2 and 3, and in
  /// 4 and 5.
  private static let beginnings: [[UInt8]] =
    [Array("L119547037146038801333356L\n.".utf8)]
    + [2, 3].map { [0x80, $0, 0x8a, 0x0a] + LegacyReader.magicNumber }
    + [4, 5].map {
      [0x80, $0, 0x95, 13, 0, 0, 0, 0, 0, 0, 0, 0x8a, 0x0a] + LegacyReader.magicNumber
    }
  /// The number of first bytes that tell it from other pickles.
  private static let tellingByteCount = 13

  /// Whether the first object is the magic number, however it is spelled, or as much of it as is there.
  package func recognizesStart(of look: inout SourceLook) -> Bool {
    let head = look.head
    if head.count < Self.beginnings[0].count, head.count >= 4 {
      let isCut = Self.beginnings.contains { beginning in
        head.count >= min(beginning.count - LegacyReader.magicNumber.count, Self.tellingByteCount)
          && beginning.starts(with: head)
      }
      if isCut { return true }
    }
    var machine = Unpickler(unsafeGlobals: .report)
    var reader = ByteReader(head.span)
    guard let root = try? machine.load(&reader) else { return false }
    return LegacyReader.isMagicNumber(root, in: machine.finish())
  }

  /// Reads the pickles.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    try LegacyReader.read(look.source, droppingUnsafe: options.dropsUnsafe)
  }
}

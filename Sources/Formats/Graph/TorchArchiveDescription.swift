/// The archive that a `.pt` file is, as it was found.
public struct TorchArchiveDescription: Sendable {
  /// A member of the archive.
  public enum Record: Sendable {
    /// The pickle; the graph stands for its bytes.
    case pickle(name: String)
    /// A storage of that many bytes.
    case storage(name: String, byteCount: Int)
    /// Anything else, with its bytes.
    case other(name: String, bytes: [UInt8])
  }

  /// Whether `torch.jit.save` wrote it.
  public var isTorchScript: Bool
  /// The directory inside the archive that holds all records.
  public var prefix: String
  /// The protocol of the pickle.
  public var pickleProtocol: Int
  /// Whether numbers in storages have their most significant byte first.
  public var isBigEndian: Bool
  /// The number that every record's place in the archive is a multiple of, in bytes.
  public var alignment: Int
  /// Whether the archive holds checksums of its records.
  public var hasChecksums: Bool
  /// The versions of the writer that lay out an archive like this.
  public var writer: String
  /// The members in their order, by names without the prefix.
  public var records: [Record]

  package init(
    isTorchScript: Bool, prefix: String, pickleProtocol: Int, isBigEndian: Bool, alignment: Int,
    hasChecksums: Bool, writer: String, records: [Record]
  ) {
    self.isTorchScript = isTorchScript
    self.prefix = prefix
    self.pickleProtocol = pickleProtocol
    self.isBigEndian = isBigEndian
    self.alignment = alignment
    self.hasChecksums = hasChecksums
    self.writer = writer
    self.records = records
  }
}

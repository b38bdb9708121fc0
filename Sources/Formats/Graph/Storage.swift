/// A storage: the bytes that one or more tensors are views of.
public struct Storage: Sendable {
  /// The name of the storage in its archive: the text after `data/`.
  public var key: String
  /// The dtype of the class it was saved under, or `nil` for an untyped one.
  public var dtype: DType?
  /// The device it was on when it was saved, such as `cpu` or `cuda:0`.
  public var location: String
  /// The size in bytes.
  public var byteCount: Int
  /// Where its bytes lie, or `nil` where a file has the tensors' bytes instead, or only its blocks.
  ///
  /// See ``Tensor/packed`` and ``blocks``.
  public var region: FileRegion?
  /// Whether its numbers are stored most significant byte first.
  public var isBigEndian: Bool
  /// What a storage without a ``region`` consists of: these elements, packed one after the other, of
  /// type ``dtype``, to which they are cast where the file has another.
  public var blocks: [ElementBlock]

  /// The name of its record in an archive, without the prefix.
  package var recordName: String { TorchArchiveDescription.storagePrefix + key }

  package init(
    key: String, dtype: DType?, location: String, byteCount: Int, region: FileRegion?,
    isBigEndian: Bool, blocks: [ElementBlock] = []
  ) {
    self.key = key
    self.dtype = dtype
    self.location = location
    self.byteCount = byteCount
    self.region = region
    self.isBigEndian = isBigEndian
    self.blocks = blocks
  }
}

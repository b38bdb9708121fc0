package import CkptBase

/// A storage: the bytes that one or more tensors are views of.
package struct Storage: Sendable {
  /// The name of the storage in its archive: the text after `data/`.
  package var key: String
  /// The dtype of the class it was saved under, or `nil` for an untyped one.
  package var dtype: DType?
  /// The device it was on when it was saved, such as `cpu` or `cuda:0`.
  package var location: String
  /// The size in bytes.
  package var byteCount: Int
  /// Where its bytes lie, or `nil` where a file has the tensors' bytes instead, or only its blocks.
  ///
  /// See ``Tensor/packed`` and ``blocks``.
  package var region: FileRegion?
  /// Whether its numbers are stored most significant byte first.
  package var isBigEndian: Bool
  /// The blocks of a storage without a ``region``: packed in row-major order, and cast to ``dtype``
  /// where the files have another, they are its bytes.
  package var blocks: PlacedBlocks?

  package init(
    key: String, dtype: DType?, location: String, byteCount: Int, region: FileRegion?,
    isBigEndian: Bool, blocks: PlacedBlocks? = nil
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

/// A stretch of a source that holds tensor data: where it lies, not its bytes.
package struct FileRegion: Sendable {
  /// How the bytes of a region are stored.
  package enum Encoding: Hashable, Sendable {
    /// As they are.
    case stored
    /// Compressed with deflate (RFC 1951).
    case deflated
  }

  /// The file, or a part of one, that holds the bytes.
  package let source: any ByteSource
  /// Where the stored bytes lie in ``source``, in bytes.
  package let range: Range<Int>
  /// How the bytes are stored.
  package let encoding: Encoding
  /// The length in bytes once decoded; equal to the length of ``range`` when stored.
  package let byteCount: Int
  /// The CRC-32 the decoded bytes must have, or `nil` where the container keeps none.
  package let crc32: UInt32?
  /// The name of the archive entry or tensor, for messages.
  package let name: String

  /// Describes a stretch of `source`.
  package init(
    source: any ByteSource, range: Range<Int>, encoding: Encoding = .stored, byteCount: Int? = nil,
    crc32: UInt32? = nil, name: String
  ) {
    self.source = source
    self.range = range
    self.encoding = encoding
    self.byteCount = byteCount ?? range.count
    self.crc32 = crc32
    self.name = name
  }
}

extension FileRegion {
  /// Tells two regions apart; equal descriptions of the same bytes of the same open file
  /// are one, also where a slice has them.
  package struct Identity: Hashable {
    private let source: ObjectIdentifier
    private let range: Range<Int>
    private let encoding: Encoding
    private let byteCount: Int
    private let crc32: UInt32?

    /// The identity of `region`.
    package init(_ region: FileRegion) {
      let origin = region.source.origin
      source = ObjectIdentifier(origin.source)
      range = region.range.lowerBound + origin.offset..<region.range.upperBound + origin.offset
      encoding = region.encoding
      byteCount = region.byteCount
      crc32 = region.crc32
    }

    /// Feeds what nearly always tells regions apart; the rest is only compared.
    package func hash(into hasher: inout Hasher) {
      hasher.combine(range.lowerBound)
      hasher.combine(range.upperBound)
    }
  }
}

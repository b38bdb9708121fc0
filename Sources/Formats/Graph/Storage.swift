package import CkptBase

/// A storage: the bytes that one or more tensors are views of.
package struct Storage: Sendable {
  /// The name of the storage in its archive: the text after `data/`.
  package var key: String
  /// The dtype of its class, or `nil` for an untyped storage.
  package var dtype: DType?
  /// The device at the time of saving, such as `cpu` or `cuda:0`.
  package var location: String
  /// The size in bytes.
  package var byteCount: Int
  /// The region of its bytes, or `nil` if a file has only the tensors' bytes or blocks.
  ///
  /// See ``Tensor/packed`` and ``blocks``.
  package var region: FileRegion?
  /// Whether its numbers are big-endian.
  package var isBigEndian: Bool
  /// The blocks of a storage without a ``region``.
  ///
  /// Packed in row-major order, and cast to ``dtype`` if the files have another one, they are its
  /// bytes.
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

/// A range of a source with tensor data: the location, not the bytes.
package struct FileRegion: Sendable {
  /// The encoding of the bytes of a region.
  package enum Encoding: Hashable, Sendable {
    /// Stored unchanged.
    case stored
    /// Compressed with deflate (RFC 1951).
    case deflated
  }

  /// The file, or a part of one, with the bytes.
  package let source: any ByteSource
  /// The range of the stored bytes in ``source``.
  package let range: Range<Int>
  /// The encoding of the bytes.
  package let encoding: Encoding
  /// The decoded length in bytes; equal to the length of ``range`` for stored bytes.
  package let byteCount: Int
  /// The CRC-32 that the decoded bytes must have, or `nil` if the container has none.
  package let crc32: UInt32?
  /// The name of the archive entry or tensor, for messages.
  package let name: String

  /// Creates a range of `source`.
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
  /// The identity of a region: the same bytes of the same open file, also through a slice.
  package struct Identity: Hashable {
    private let source: ObjectIdentifier
    private let range: Range<Int>
    private let encoding: Encoding
    private let byteCount: Int
    private let crc32: UInt32?

    /// Creates the identity of `region`.
    package init(_ region: FileRegion) {
      let origin = region.source.origin
      source = ObjectIdentifier(origin.source)
      range = region.range.lowerBound + origin.offset..<region.range.upperBound + origin.offset
      encoding = region.encoding
      byteCount = region.byteCount
      crc32 = region.crc32
    }

    /// Hashes the parts that nearly always differ; the others are only compared.
    package func hash(into hasher: inout Hasher) {
      hasher.combine(range.lowerBound)
      hasher.combine(range.upperBound)
    }
  }
}

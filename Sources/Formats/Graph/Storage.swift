public import CkptBase

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

/// A stretch of a source that holds tensor data: where it lies, not its bytes.
public struct FileRegion: Sendable {
  /// How the bytes of a region are stored.
  public enum Encoding: Hashable, Sendable {
    /// As they are.
    case stored
    /// Compressed with deflate (RFC 1951).
    case deflated
  }

  /// The file, or a part of one, that holds the bytes.
  public let source: any ByteSource
  /// Where the stored bytes lie in ``source``, in bytes.
  public let range: Range<Int>
  /// How the bytes are stored.
  public let encoding: Encoding
  /// The length in bytes once decoded; equal to the length of ``range`` when stored.
  public let byteCount: Int
  /// The CRC-32 the decoded bytes must have, or `nil` where the container keeps none.
  public let crc32: UInt32?
  /// The name of the archive entry or tensor, for messages.
  public let name: String

  /// Describes a stretch of `source`.
  public init(
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
  }
}

/// Elements in a file that, packed, are a storage or a part of one: a view like a tensor's, but over
/// a region.
///
/// A storage that no file has in one piece consists of blocks: what several tensors were before they
/// were joined, or what a tensor was before its elements were cast.
public struct ElementBlock: Sendable {
  /// The bytes that the block is a view of.
  public var region: FileRegion
  /// The type of the elements in the file.
  public var dtype: DType
  /// The number of elements along each dimension; there is at least one element.
  public var shape: [Int]
  /// The distance between neighbours along each dimension, in elements.
  public var strides: [Int]
  /// Where the first element lies in the region, in elements.
  public var offset: Int
  /// Whether numbers are stored most significant byte first.
  public var isBigEndian: Bool
  /// Whether the imaginary parts are stored with the opposite sign.
  public var isConjugated: Bool
  /// Whether all values are stored with the opposite sign.
  public var isNegated: Bool

  /// The elements of a tensor with at least one, in a region that holds its storage.
  package init(_ tensor: Tensor, in region: FileRegion, isBigEndian: Bool) {
    self.region = region
    dtype = tensor.dtype
    shape = tensor.shape
    strides = tensor.strides
    offset = tensor.offset
    self.isBigEndian = isBigEndian
    isConjugated = tensor.isConjugated
    isNegated = tensor.isNegated
  }

  /// Elements that a region holds packed in row-major order, little-endian and with lazy signs
  /// resolved.
  package init(packed region: FileRegion, dtype: DType, shape: [Int]) {
    self.region = region
    self.dtype = dtype
    self.shape = shape
    strides = Tensor.packedStrides(shape)
    offset = 0
    isBigEndian = false
    isConjugated = false
    isNegated = false
  }

  /// The number of elements.
  public var elementCount: Int { shape.reduce(1, *) }

  /// The block's elements with numbers in `range`, counted in row-major order; the range is not
  /// empty and consists of whole rows.
  func elements(_ range: Range<Int>) -> ElementBlock {
    guard range != 0..<elementCount else { return self }
    let width = elementCount / shape[0]
    precondition(range.lowerBound % width == 0 && range.count % width == 0)
    var part = self
    part.offset += range.lowerBound / width * strides[0]
    part.shape[0] = range.count / width
    return part
  }

  /// The block that this one and `next` are together, if `next` continues it in the same region.
  func joined(with next: ElementBlock) -> ElementBlock? {
    guard FileRegion.Identity(region) == FileRegion.Identity(next.region), dtype == next.dtype,
      strides == next.strides,
      shape.dropFirst() == next.shape.dropFirst(), isBigEndian == next.isBigEndian,
      isConjugated == next.isConjugated, isNegated == next.isNegated,
      let step = strides.first, next.offset == offset + shape[0] * step
    else { return nil }
    var both = self
    both.shape[0] += next.shape[0]
    return both
  }
}

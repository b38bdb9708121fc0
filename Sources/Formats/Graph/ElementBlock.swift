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

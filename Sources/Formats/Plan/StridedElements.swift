internal import Graph

/// Which elements of a region a tensor consists of, and how their bytes change on the way.
///
/// Everything is in bytes. Strides may be zero (expanded tensors) and elements may be visited more
/// than once; the packed size is checked for overflow by whoever builds this.
public struct StridedElements: Hashable, Sendable {
  /// Where the first element lies, in bytes from the start of the decoded region.
  public var byteOffset: Int
  /// The number of elements along each dimension, outermost first; empty for a scalar.
  public var shape: [Int]
  /// The distance in bytes between neighbours along each dimension; never negative.
  public var byteStrides: [Int]
  /// The size of one element in bytes: a power of two up to 16.
  public var elementByteCount: Int
  /// The width in bytes of the units whose bytes are reversed (big-endian sources); 1 for none.
  public var swapWidth: Int
  /// Bits flipped in every element after swapping, one byte for each of the element's in the order
  /// of the output; empty for none.
  ///
  /// PyTorch's lazy negation and conjugation are flips of sign bits.
  public var flippedBits: [UInt8]

  /// Describes a strided selection of elements.
  public init(
    byteOffset: Int, shape: [Int], byteStrides: [Int], elementByteCount: Int, swapWidth: Int = 1,
    flippedBits: [UInt8] = []
  ) {
    self.byteOffset = byteOffset
    self.shape = shape
    self.byteStrides = byteStrides
    self.elementByteCount = elementByteCount
    self.swapWidth = swapWidth
    self.flippedBits = flippedBits
  }

  /// The size of the packed elements in bytes.
  public var byteCount: Int { shape.reduce(elementByteCount, *) }

  /// The size of the packed elements in bytes once they are cast.
  func byteCount(after cast: ElementCast) -> Int { shape.reduce(cast.target.byteCount, *) }
}

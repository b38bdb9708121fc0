public import Graph

/// Bytes put together from the elements of several tensors that are views of them: the inverse of
/// picking elements with ``Segment/gather(_:_:)``.
///
/// Bytes that no piece reaches are zero. Where pieces, or elements of one, reach the same byte they
/// must agree; a run throws `conflict` when they do not.
public struct Assembly: Sendable {
  /// The elements of one tensor.
  public struct Piece: Sendable {
    /// The region that has the elements, packed in row-major order, and nothing else.
    public var region: FileRegion
    /// Where in the assembly each element goes, and how its bytes change on the way.
    public var placement: StridedElements

    /// The elements in `region`, which go where `placement` says.
    public init(region: FileRegion, placement: StridedElements) {
      self.region = region
      self.placement = placement
    }
  }

  /// The size in bytes.
  public var byteCount: Int
  /// What the bytes are put together from.
  public var pieces: [Piece]
  /// Where the assembly begins in the storage that it is a part of, in bytes; for messages.
  public var origin: Int

  /// Describes `byteCount` bytes put together from `pieces`, in any order.
  public init(byteCount: Int, pieces: [Piece], origin: Int = 0) {
    self.byteCount = byteCount
    self.pieces = pieces
    self.origin = origin
  }
}

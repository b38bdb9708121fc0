package import CkptBase
package import CkptGraph

/// Bytes that are assembled from the elements of several tensors, which are views of them; the
/// inverse of picking elements with ``Segment/gather(_:_:)``.
///
/// Bytes that no piece covers are zero. If pieces, or elements of one piece, cover the same byte,
/// they must agree; otherwise a run throws `conflict`.
package struct Assembly: Sendable {
  /// The elements of one tensor.
  package struct Piece: Sendable {
    /// The region with the elements.
    package var region: FileRegion
    /// The position of each element in the assembly, and the change to its bytes.
    package var placement: StridedElements
    /// The offset of the first element in the region, in bytes.
    package var sourceOffset: Int
    /// The distance in bytes between adjacent elements along each dimension in the region, a
    /// multiple of an element's size; `nil` if the region is exactly the packed elements in
    /// row-major order.
    package var sourceStrides: [Int]?

    /// Creates a piece of elements in `region`, with their positions in `placement`.
    package init(
      region: FileRegion, placement: StridedElements, sourceOffset: Int = 0,
      sourceStrides: [Int]? = nil
    ) {
      self.region = region
      self.placement = placement
      self.sourceOffset = sourceOffset
      self.sourceStrides = sourceStrides
    }
  }

  /// The size in bytes, before a cast.
  package var byteCount: Int
  /// The pieces.
  package var pieces: [Piece]
  /// The start of the assembly in its storage, in bytes; for messages.
  package var origin: Int
  /// The cast of all elements after they were assembled.
  package var cast: ElementCast?
  /// Whether no byte is covered twice, so that nothing has to agree.
  package var isDisjoint: Bool

  /// Creates an assembly of `byteCount` bytes from `pieces`, in any order.
  package init(
    byteCount: Int, pieces: [Piece], origin: Int = 0, cast: ElementCast? = nil,
    isDisjoint: Bool = false
  ) {
    self.byteCount = byteCount
    self.pieces = pieces
    self.origin = origin
    self.cast = cast
    self.isDisjoint = isDisjoint
  }
}

extension Assembly {
  /// Checks that every piece is inside its file, has all of its elements, and fits the assembly.
  ///
  /// - Throws: `truncated` or `malformed`.
  func validate() throws(CheckpointError) {
    guard byteCount >= 0 else {
      throw CheckpointError(.malformed, "a storage cannot have \(byteCount) bytes")
    }
    for piece in pieces { try piece.validate(assemblyByteCount: byteCount) }
  }
}

extension Assembly.Piece {
  fileprivate func validate(assemblyByteCount: Int) throws(CheckpointError) {
    try region.validate()
    do throws(CheckpointError) {
      try placement.validate(regionByteCount: assemblyByteCount)
      if let source { return try source.validate(regionByteCount: region.byteCount) }
      let packed = try placement.checkedByteCount()
      guard packed == region.byteCount else {
        throw CheckpointError(
          .malformed,
          "the tensor has \(region.byteCount) bytes, but the shape \(placement.shape) needs \(packed)"
        )
      }
    } catch {
      throw region.framed(error)
    }
  }
}

extension Assembly.Piece {
  /// The elements in the region, unless they are all of it.
  private var source: StridedElements? {
    sourceStrides.map { strides in
      var elements = placement
      elements.byteOffset = sourceOffset
      elements.byteStrides = strides
      return elements
    }
  }
}

extension StridedElements {
  /// Returns the size of the packed elements in bytes.
  ///
  /// - Throws: `malformed` if it overflows.
  fileprivate func checkedByteCount() throws(CheckpointError) -> Int {
    guard !isEmpty else { return 0 }
    var byteCount = elementByteCount
    for extent in shape {
      byteCount = try byteCount.multiplied(by: extent, orThrow: "a tensor's size")
    }
    return byteCount
  }
}

extension Segment {
  /// Returns the cheapest segments for an assembly of `byteCount` bytes from `pieces`.
  ///
  /// Pieces that cover a whole range are copied, permuted ones are picked, and ranges without
  /// pieces are zero. Only pieces that interleave or leave gaps must be assembled in memory. A
  /// repeated piece is read once.
  /// - Throws: `truncated` or `malformed` for a piece outside of its file or the assembly.
  package static func assembling(
    byteCount: Int, pieces: [Assembly.Piece]
  ) throws(CheckpointError) -> [Segment] {
    try Assembly(byteCount: byteCount, pieces: pieces).validate()
    var seen: Set<PieceIdentity> = []
    let distinct = pieces.filter { seen.insert(PieceIdentity($0)).inserted }
    return segments(of: Assembly(byteCount: byteCount, pieces: distinct))
  }

  /// Returns the cheapest segments for an assembly.
  static func segments(of assembly: Assembly) -> [Segment] {
    var segments: [Segment] = []
    var end = 0
    for group in groups(of: assembly.pieces) {
      if group.reach.lowerBound > end {
        segments.append(.zeros(byteCount: group.reach.lowerBound - end))
      }
      segments.append(segment(group, of: assembly))
      end = group.reach.upperBound
    }
    if assembly.byteCount > end { segments.append(.zeros(byteCount: assembly.byteCount - end)) }
    return segments
  }

  /// Pieces whose ranges overlap, directly or through other pieces.
  private struct Group {
    var reach: Range<Int>
    var pieces: [Assembly.Piece]
  }

  /// Returns the groups in the order of the assembly, without empty pieces.
  private static func groups(of pieces: [Assembly.Piece]) -> [Group] {
    let pieces = pieces.filter { !$0.placement.isEmpty }
    let reaches = pieces.map { Placement($0).reach }
    let order = reaches.indices.sorted {
      (reaches[$0].lowerBound, $0) < (reaches[$1].lowerBound, $1)
    }
    var groups: [Group] = []
    for index in order {
      let reach = reaches[index]
      if let last = groups.last?.reach, reach.lowerBound < last.upperBound {
        let end = max(last.upperBound, reach.upperBound)
        groups[groups.count - 1].reach = last.lowerBound..<end
        groups[groups.count - 1].pieces.append(pieces[index])
      } else {
        groups.append(Group(reach: reach, pieces: [pieces[index]]))
      }
    }
    return groups
  }

  private static func segment(_ group: Group, of assembly: Assembly) -> Segment {
    if let only = group.pieces.first, group.pieces.count == 1,
      let segment = only.segment(assembly.cast)
    {
      return segment
    }
    let start = group.reach.lowerBound
    let pieces = group.pieces.map { piece in
      var piece = piece
      piece.placement.byteOffset -= start
      return piece
    }
    return .assembly(
      Assembly(
        byteCount: group.reach.count, pieces: pieces, origin: assembly.origin + start,
        cast: assembly.cast, isDisjoint: assembly.isDisjoint))
  }
}

/// The identity of a piece: its bytes and their positions.
package struct PieceIdentity: Hashable, Sendable {
  private let region: FileRegion.Identity
  private let placement: StridedElements
  private let sourceOffset: Int
  private let sourceStrides: [Int]?

  /// The identity of `piece`.
  package init(_ piece: Assembly.Piece) {
    region = FileRegion.Identity(piece.region)
    placement = piece.placement
    sourceOffset = piece.sourceOffset
    sourceStrides = piece.sourceStrides
  }
}

extension Assembly.Piece {
  /// Returns the segment for the piece alone, if it covers every byte of its range exactly once.
  fileprivate func segment(_ cast: ElementCast?) -> Segment? {
    let places = Placement(self)
    guard places.isDense else { return nil }
    // In the byte order of the assembly, the elements are picked with the strides of the source.
    var elements = placement
    elements.byteOffset = sourceOffset
    elements.shape = places.ordered.map(\.count)
    elements.byteStrides = places.ordered.map(\.source)
    if let cast { return .cast(region, elements, cast) }
    guard elements.layout.isContiguous, !elements.changesBytes else {
      return .gather(region, elements)
    }
    return .copy(region, range: sourceOffset..<sourceOffset + elements.byteCount)
  }
}

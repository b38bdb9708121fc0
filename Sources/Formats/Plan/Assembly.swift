package import CkptBase
package import CkptGraph

/// Bytes put together from the elements of several tensors that are views of them: the inverse of
/// picking elements with ``Segment/gather(_:_:)``.
///
/// Bytes that no piece reaches are zero. Where pieces, or elements of one, reach the same byte they
/// must agree; a run throws `conflict` when they do not.
package struct Assembly: Sendable {
  /// The elements of one tensor.
  package struct Piece: Sendable {
    /// The region that has the elements.
    package var region: FileRegion
    /// The place of each element in the assembly, and the change of its bytes on the way.
    package var placement: StridedElements
    /// The place of the first element in the region, in bytes.
    package var sourceOffset: Int
    /// The distance in bytes between neighbors along each dimension in the region, a multiple of an
    /// element's size; `nil` where the region has the elements packed in row-major order, and nothing
    /// else.
    package var sourceStrides: [Int]?

    /// The elements in `region`, which go where `placement` says.
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
  /// What the bytes are put together from.
  package var pieces: [Piece]
  /// The start of the assembly in the storage that it is a part of, in bytes; for messages.
  package var origin: Int
  /// The cast of all elements once they are put together.
  package var cast: ElementCast?
  /// Whether no byte is reached twice, so that nothing needs to agree.
  package var isDisjoint: Bool

  /// Describes `byteCount` bytes put together from `pieces`, in any order.
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
  /// Makes sure that every piece is inside its file, has all of its elements, and has a place inside
  /// the assembly for each.
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
          "the tensor has \(region.byteCount) bytes, shape \(placement.shape) needs \(packed)")
      }
    } catch {
      throw region.framed(error)
    }
  }
}

extension Assembly.Piece {
  /// The elements in the region, if they are not all that it has.
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
  /// The size of the packed elements in bytes.
  ///
  /// - Throws: `malformed` when it does not fit 64 bits.
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
  /// The cheapest segments that make an assembly of `byteCount` bytes out of `pieces`.
  ///
  /// Pieces that are whole stretches of it are copied, permuted ones picked, what no piece comes
  /// near is zero. Only where pieces reach across each other, or leave bytes out, must they be put
  /// together in memory. A piece that is there twice is read once.
  /// - Throws: `truncated` or `malformed` when a piece is not inside its file or the assembly.
  package static func assembling(
    byteCount: Int, pieces: [Assembly.Piece]
  ) throws(CheckpointError) -> [Segment] {
    try Assembly(byteCount: byteCount, pieces: pieces).validate()
    var seen: Set<PieceIdentity> = []
    let distinct = pieces.filter { seen.insert(PieceIdentity($0)).inserted }
    return segments(of: Assembly(byteCount: byteCount, pieces: distinct))
  }

  /// The cheapest segments that make an assembly.
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

  /// Pieces whose reaches overlap each other, directly or by way of others.
  private struct Group {
    var reach: Range<Int>
    var pieces: [Assembly.Piece]
  }

  /// The groups in the order of the assembly, without empty pieces.
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

/// Tells apart pieces that are not the same bytes in the same places.
private struct PieceIdentity: Hashable {
  private let region: FileRegion.Identity
  private let placement: StridedElements
  private let sourceOffset: Int
  private let sourceStrides: [Int]?

  init(_ piece: Assembly.Piece) {
    region = FileRegion.Identity(piece.region)
    placement = piece.placement
    sourceOffset = piece.sourceOffset
    sourceStrides = piece.sourceStrides
  }
}

extension Assembly.Piece {
  /// The segment that writes the piece by itself, where it leaves no byte of its reach out and
  /// reaches none twice.
  fileprivate func segment(_ cast: ElementCast?) -> Segment? {
    let places = Placement(self)
    guard places.isDense else { return nil }
    // In the order of the assembly's bytes, the elements are picked with the source's strides.
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

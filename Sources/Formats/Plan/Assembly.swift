public import CkptBase
public import CkptGraph

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

extension Assembly {
  /// Makes sure that every piece is inside its file, has all of its elements and no more, and has a
  /// place inside the assembly for each.
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
  public static func assembling(
    byteCount: Int, pieces: [Assembly.Piece]
  ) throws(CheckpointError) -> [Segment] {
    try Assembly(byteCount: byteCount, pieces: pieces).validate()
    var segments: [Segment] = []
    var end = 0
    for group in groups(of: pieces) {
      if group.reach.lowerBound > end {
        segments.append(.zeros(byteCount: group.reach.lowerBound - end))
      }
      segments.append(segment(group))
      end = group.reach.upperBound
    }
    if byteCount > end { segments.append(.zeros(byteCount: byteCount - end)) }
    return segments
  }

  /// Pieces whose reaches overlap each other, directly or by way of others.
  private struct Group {
    var reach: Range<Int>
    var pieces: [Assembly.Piece]
  }

  /// The groups in the order of the assembly, without empty pieces and repetitions.
  private static func groups(of pieces: [Assembly.Piece]) -> [Group] {
    var seen: Set<PieceIdentity> = []
    let distinct = pieces.filter { piece in
      !piece.placement.isEmpty && seen.insert(PieceIdentity(piece)).inserted
    }
    let reaches = distinct.map { Placement($0.placement).reach }
    let order = reaches.indices.sorted {
      (reaches[$0].lowerBound, $0) < (reaches[$1].lowerBound, $1)
    }
    var groups: [Group] = []
    for index in order {
      let reach = reaches[index]
      if let last = groups.last?.reach, reach.lowerBound < last.upperBound {
        let end = max(last.upperBound, reach.upperBound)
        groups[groups.count - 1].reach = last.lowerBound..<end
        groups[groups.count - 1].pieces.append(distinct[index])
      } else {
        groups.append(Group(reach: reach, pieces: [distinct[index]]))
      }
    }
    return groups
  }

  private static func segment(_ group: Group) -> Segment {
    if let only = group.pieces.first, group.pieces.count == 1, let segment = only.segment {
      return segment
    }
    let start = group.reach.lowerBound
    let pieces = group.pieces.map { piece in
      var piece = piece
      piece.placement.byteOffset -= start
      return piece
    }
    return .assembly(Assembly(byteCount: group.reach.count, pieces: pieces, origin: start))
  }
}

/// Tells apart pieces that are not the same bytes in the same places.
private struct PieceIdentity: Hashable {
  private let region: FileRegion.Identity
  private let placement: StridedElements

  init(_ piece: Assembly.Piece) {
    region = FileRegion.Identity(piece.region)
    placement = piece.placement
  }
}

extension Assembly.Piece {
  /// The segment that writes the piece by itself, where it leaves no byte of its reach out and
  /// reaches none twice.
  fileprivate var segment: Segment? {
    let places = Placement(placement)
    guard places.isDense else { return nil }
    // In the order of the assembly's bytes, the elements are picked with the packed strides.
    var elements = placement
    elements.byteOffset = 0
    elements.shape = places.ordered.map(\.count)
    elements.byteStrides = places.ordered.map(\.packed)
    guard elements.layout.isContiguous, !elements.changesBytes else {
      return .gather(region, elements)
    }
    return .copy(region, range: 0..<region.byteCount)
  }
}

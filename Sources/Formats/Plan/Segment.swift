package import CkptBase
package import CkptGraph

/// One run of bytes of an output file: where they come from and what is done to them on the way.
package enum Segment: Sendable {
  /// Bytes that are known already: headers and everything else small.
  case literal([UInt8])
  /// A stretch of a source region, as it is; `range` counts decoded bytes from the region's start.
  case copy(FileRegion, range: Range<Int>)
  /// Elements picked from a source region and packed in row-major order.
  case gather(FileRegion, StridedElements)
  /// Elements picked from a source region, packed in row-major order and cast to another type.
  case cast(FileRegion, StridedElements, ElementCast)
  /// Bytes put together from elements that lie packed in several regions.
  case assembly(Assembly)
  /// This many bytes of zero.
  case zeros(byteCount: Int)
  /// Bytes that depend on the checksums of records before them; there must be `byteCount` of them.
  case computed(byteCount: Int, @Sendable (RecordChecksums) -> [UInt8])

  /// How many bytes the segment adds to the output.
  package var byteCount: Int {
    switch self {
    case .literal(let bytes): bytes.count
    case .copy(_, let range): range.count
    case .gather(_, let elements): elements.byteCount
    case .cast(_, let elements, let cast): elements.byteCount(after: cast)
    case .assembly(let assembly):
      assembly.cast?.byteCount(after: assembly.byteCount) ?? assembly.byteCount
    case .zeros(let byteCount), .computed(let byteCount, _): byteCount
    }
  }

  /// The source regions the bytes come from.
  package var regions: [FileRegion] {
    switch self {
    case .literal, .zeros, .computed: []
    case .copy(let region, _), .gather(let region, _), .cast(let region, _, _): [region]
    case .assembly(let assembly): assembly.pieces.map(\.region)
    }
  }

  /// How many regions the bytes come from.
  package var regionCount: Int {
    switch self {
    case .literal, .zeros, .computed: 0
    case .copy, .gather, .cast: 1
    case .assembly(let assembly): assembly.pieces.count
    }
  }

  /// One of the regions that the bytes come from.
  package func region(_ index: Int) -> FileRegion {
    switch self {
    case .copy(let region, _), .gather(let region, _), .cast(let region, _, _): region
    case .assembly(let assembly): assembly.pieces[index].region
    case .literal, .zeros, .computed: preconditionFailure("the segment has no region")
    }
  }
}

extension Segment {
  /// The bytes of its region that the segment takes in one piece and in order, in whatever form it
  /// writes them; `nil` when it picks them from here and there.
  package var stretch: Range<Int>? {
    switch self {
    case .literal, .zeros, .assembly, .computed: return nil
    case .copy(_, let range): return range
    case .gather(_, let elements), .cast(_, let elements, _):
      guard !elements.isEmpty else { return 0..<0 }
      guard elements.layout.isContiguous else { return nil }
      return elements.byteOffset..<elements.byteOffset + elements.byteCount
    }
  }

  /// Makes sure that the segment's regions are inside their files, and the bytes it takes inside
  /// its regions.
  ///
  /// - Throws: `truncated` or `malformed` when they are not.
  package func validate() throws(CheckpointError) {
    switch self {
    case .literal, .computed: return
    case .zeros(let byteCount):
      guard byteCount >= 0 else {
        throw CheckpointError(.malformed, "a storage cannot have \(byteCount) bytes")
      }
    case .assembly(let assembly):
      try assembly.validate()
    case .copy(let region, let range):
      try region.validate()
      guard range.lowerBound >= 0, range.upperBound <= region.byteCount else {
        throw region.fault(
          .malformed, "bytes \(range) are taken from a storage of \(region.byteCount) bytes")
      }
    case .gather(let region, let elements):
      try elements.validate(in: region)
    case .cast(let region, let elements, let cast):
      precondition(elements.elementByteCount == cast.source.byteCount, "a cast is of its type")
      try elements.validate(in: region)
    }
  }
}

extension StridedElements {
  /// Makes sure that every element lies inside of `region`, and that inside its file.
  ///
  /// - Throws: `truncated` or `malformed` when one does not.
  fileprivate func validate(in region: FileRegion) throws(CheckpointError) {
    try region.validate()
    do throws(CheckpointError) {
      try validate(regionByteCount: region.byteCount)
    } catch {
      throw region.framed(error)
    }
  }
}

extension FileRegion {
  /// An error in this region's bytes.
  package func fault(_ code: CheckpointError.Code, _ message: String, remedy: Remedy? = nil)
    -> CheckpointError
  {
    framed(CheckpointError(code, message, remedy: remedy))
  }

  /// An error with the names of the region and its file, which failed system calls name themselves.
  package func framed(_ error: CheckpointError) -> CheckpointError {
    guard error.cause == nil else { return error }
    return error.framed(by: name).framed(by: source.name)
  }

  /// A stretch of a stored region, without a checksum of its own.
  package func part(_ part: Range<Int>) -> FileRegion {
    let start = range.lowerBound + part.lowerBound
    return FileRegion(source: source, range: start..<start + part.count, name: name)
  }

  /// Makes sure that the region lies inside its file.
  ///
  /// - Throws: `truncated` when it does not, `malformed` when its lengths contradict each other.
  package func validate() throws(CheckpointError) {
    guard range.lowerBound >= 0, byteCount >= 0, encoding == .deflated || byteCount == range.count
    else {
      throw fault(.malformed, "\(byteCount) bytes are announced and \(range.count) are stored")
    }
    guard range.upperBound <= source.byteCount else {
      throw fault(
        .truncated,
        "data ends at byte \(range.upperBound) of a file of \(source.byteCount) bytes")
    }
  }

  /// Makes sure that the region's decoded bytes have the stored checksum, if there is one.
  ///
  /// - Throws: `checksumMismatch` with both.
  package func requireChecksum(_ computed: UInt32) throws(CheckpointError) {
    guard let crc32, crc32 != computed else { return }
    throw fault(
      .checksumMismatch,
      "stored CRC-32 is \(hexadecimal(crc32)), the data has \(hexadecimal(computed)): "
        + "the file was damaged after it was written",
      remedy: "fetch or save the file again")
  }
}

/// Eight digits, as ZIP tools print checksums.
private func hexadecimal(_ checksum: UInt32) -> String {
  let digits = String(checksum, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}

package import CkptBase
package import CkptGraph

/// One run of bytes of an output file: its source, and the changes to its bytes.
package enum Segment: Sendable {
  /// Known bytes: headers and other small data.
  case literal([UInt8])
  /// A range of a source region, unchanged; `range` counts decoded bytes from the start of the
  /// region.
  case copy(FileRegion, range: Range<Int>)
  /// Elements picked from a source region and packed in row-major order.
  case gather(FileRegion, StridedElements)
  /// Elements picked from a source region, packed in row-major order and cast to another type.
  case cast(FileRegion, StridedElements, ElementCast)
  /// Bytes assembled from elements of several regions.
  case assembly(Assembly)
  /// A number of zero bytes.
  case zeros(byteCount: Int)
  /// Bytes that depend on the checksums of earlier records; there must be `byteCount` of them.
  case computed(byteCount: Int, @Sendable (RecordChecksums) -> [UInt8])

  /// The number of bytes that the segment adds to the output.
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

  /// The source regions of the bytes.
  package var regions: [FileRegion] {
    switch self {
    case .literal, .zeros, .computed: []
    case .copy(let region, _), .gather(let region, _), .cast(let region, _, _): [region]
    case .assembly(let assembly): assembly.pieces.map(\.region)
    }
  }

  /// The number of source regions.
  package var regionCount: Int {
    switch self {
    case .literal, .zeros, .computed: 0
    case .copy, .gather, .cast: 1
    case .assembly(let assembly): assembly.pieces.count
    }
  }

  /// Returns one of the source regions.
  package func region(_ index: Int) -> FileRegion {
    switch self {
    case .copy(let region, _), .gather(let region, _), .cast(let region, _, _): region
    case .assembly(let assembly): assembly.pieces[index].region
    case .literal, .zeros, .computed: preconditionFailure("the segment has no region")
    }
  }
}

extension Segment {
  /// The range of its region that the segment uses as a whole and in order, before any change;
  /// `nil` if it picks elements.
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

  /// Checks that the segment's regions are inside their files, and its ranges inside the regions.
  ///
  /// - Throws: `truncated` or `malformed` if they are not.
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
      precondition(
        elements.elementByteCount == cast.source.byteCount, "a cast needs elements of its type")
      try elements.validate(in: region)
    }
  }
}

extension StridedElements {
  /// Checks that every element is inside `region`, and `region` inside its file.
  ///
  /// - Throws: `truncated` or `malformed` if one is not.
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
  /// Returns an error about the bytes of this region.
  package func fault(_ code: CheckpointError.Code, _ message: String, remedy: Remedy? = nil)
    -> CheckpointError
  {
    framed(CheckpointError(code, message, remedy: remedy))
  }

  /// Adds the names of the region and its file to an error; failed system calls name the file
  /// themselves.
  package func framed(_ error: CheckpointError) -> CheckpointError {
    guard error.cause == nil else { return error }
    return error.framed(by: name).framed(by: source.name)
  }

  /// Returns a part of a stored region, without a checksum.
  package func part(_ part: Range<Int>) -> FileRegion {
    let start = range.lowerBound + part.lowerBound
    return FileRegion(source: source, range: start..<start + part.count, name: name)
  }

  /// Checks that the region is inside its file.
  ///
  /// - Throws: `truncated` if it is not, `malformed` if its lengths contradict each other.
  package func validate() throws(CheckpointError) {
    guard range.lowerBound >= 0, byteCount >= 0, encoding == .deflated || byteCount == range.count
    else {
      throw fault(.malformed, "the size is \(byteCount) bytes, but \(range.count) are stored")
    }
    guard range.upperBound <= source.byteCount else {
      throw fault(
        .truncated,
        "the data ends at byte \(range.upperBound), but the file has \(source.byteCount) bytes")
    }
  }

  /// Checks the decoded bytes of the region against the stored checksum, if there is one.
  ///
  /// - Throws: `checksumMismatch` with both values.
  package func requireChecksum(_ computed: UInt32) throws(CheckpointError) {
    guard let crc32, crc32 != computed else { return }
    throw fault(
      .checksumMismatch,
      "the stored CRC-32 is \(hexadecimal(crc32)), but the data has \(hexadecimal(computed)): "
        + "the file was damaged after it was written",
      remedy: "download or save the file again")
  }
}

/// Returns a checksum with eight digits, like ZIP tools.
private func hexadecimal(_ checksum: UInt32) -> String {
  let digits = String(checksum, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}

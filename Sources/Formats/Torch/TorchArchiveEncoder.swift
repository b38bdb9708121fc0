internal import Bytes
internal import Codecs
internal import Graph
internal import Plan
internal import Zip

/// Plans the archive that a description describes.
struct TorchArchiveEncoder {
  private let archive: TorchArchiveDescription
  private var zip: ZipEncoder
  private var serializationID = SerializationID()

  /// The plan of `archive` with `pickle` as its record `data.pkl`; `storage` gives the bytes of a
  /// storage's record by its name and size.
  ///
  /// - Throws: `malformed` for an archive that torch could not open, and what `storage` throws.
  static func plan(
    _ archive: TorchArchiveDescription, pickle: [UInt8],
    storage: (String, Int) throws(FormatError) -> [Segment]
  ) throws(FormatError) -> FilePlan {
    try archive.validate()
    var encoder = TorchArchiveEncoder(archive)
    for record in archive.records {
      switch record {
      case .pickle(let name): try encoder.append(name, .init([.literal(pickle)]))
      case .storage(let name, let byteCount):
        try encoder.append(name, .init(storage(name, byteCount)))
      case .other(TorchArchiveDescription.serializationIDRecord, let bytes):
        try encoder.appendSerializationID(replacing: bytes)
      case .other(let name, let bytes): try encoder.append(name, .init([.literal(bytes)]))
      case .compressed(let name, let bytes, let byteCount):
        try encoder.append(name, inflating(name, bytes, byteCount, of: archive))
      }
    }
    return try encoder.zip.finish()
  }

  private init(_ archive: TorchArchiveDescription) {
    self.archive = archive
    zip = ZipEncoder(alignment: archive.alignment, hasChecksums: archive.hasChecksums)
  }

  private mutating func append(
    _ name: String, _ content: ZipEncoder.Content
  ) throws(FormatError) {
    let checksum = try zip.append("\(archive.prefix)/\(name)", content)
    serializationID.add(
      name, leadingBytes: try leadingBytes(of: content),
      checksum: content.byteCount > 0 ? checksum : nil)
  }

  private mutating func appendSerializationID(replacing found: [UInt8]) throws(FormatError) {
    let name = TorchArchiveDescription.serializationIDRecord
    let text = serializationID.text(replacing: found.isEmpty ? nil : found)
    let content = ZipEncoder.Content(
      [.computed(byteCount: SerializationID.byteCount, text)],
      checksum: { CRC32.checksum(text($0).span) })
    _ = try zip.append("\(archive.prefix)/\(name)", content)
  }

  /// The first eight bytes of a record, where they can be had without putting it together.
  private func leadingBytes(of content: ZipEncoder.Content) throws(FormatError) -> [UInt8] {
    switch content.segments.first {
    case .literal(let bytes): return Array(bytes.prefix(8))
    case .copy(let region, let range) where region.encoding == .stored && range.count >= 8:
      let start = region.range.lowerBound + range.lowerBound
      return try region.file.bytes(in: start..<start + 8)
    default: return []
    }
  }

  /// A compressed record as it is, with the checksum of what it holds.
  private static func inflating(
    _ name: String, _ bytes: [UInt8], _ byteCount: Int, of archive: TorchArchiveDescription
  ) throws(FormatError) -> ZipEncoder.Content {
    guard byteCount <= Limits.smallRecordBytes else {
      throw FormatError(
        .limitExceeded,
        "record '\(name)' has \(byteCount) bytes, more than "
          + "\(Limits.smallRecordBytes)")
    }
    let inflated = try FormatError.within(name) { () throws(FormatError) in
      try Inflater.inflate(bytes, byteCount: byteCount)
    }
    try archive.check(name, inflated)
    return .init(
      deflated: bytes, byteCount: byteCount, crc32: CRC32.checksum(inflated.span))
  }
}

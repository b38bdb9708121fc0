package import Bytes
package import Graph
package import Plan

/// Plans an archive as PyTorch's writer lays it out, byte for byte.
///
/// Follows `PyTorchStreamWriter` (`caffe2/serialize/inline_container.cc`) over miniz: checksums
/// behind the data, data at multiples of the alignment, and ZIP64 end records always. Checksums are
/// computed while the plan is carried out, so no data is read here.
package struct ZipEncoder: Sendable {
  /// Where the checksum of an entry's data comes from.
  package typealias Checksum = @Sendable (RecordChecksums) -> UInt32

  /// What an entry holds.
  package struct Content: Sendable {
    /// The bytes as they stand in the archive.
    package var segments: [Segment]
    /// How they are stored.
    package var encoding = FileRegion.Encoding.stored
    /// The size once decoded, in bytes.
    package var byteCount: Int
    /// The CRC-32 of the decoded bytes; `nil` for that of the segments.
    package var checksum: Checksum?

    /// Content that is stored as it is.
    package init(_ segments: [Segment], checksum: Checksum? = nil) {
      self.segments = segments
      byteCount = 0
      self.checksum = checksum
      byteCount = storedByteCount
    }

    /// The size in the archive, in bytes.
    var storedByteCount: Int { segments.reduce(0) { $0.addingClamped($1.byteCount) } }

    /// Content that is compressed already.
    package init(deflated bytes: [UInt8], byteCount: Int, crc32: UInt32) {
      segments = [.literal(bytes)]
      encoding = .deflated
      self.byteCount = byteCount
      checksum = { _ in crc32 }
    }
  }

  private let alignment: Int
  private let hasChecksums: Bool
  private var plan = FilePlan()
  private var entries: [PlannedEntry] = []
  private var directoryByteCount = 0

  /// A planner of an empty archive.
  ///
  /// - Parameters:
  ///   - alignment: what the places of data are a multiple of, in bytes.
  ///   - hasChecksums: whether checksums are computed; otherwise they are zero, as torch leaves them
  ///     when told to.
  package init(alignment: Int, hasChecksums: Bool) {
    self.alignment = max(alignment, 1)
    self.hasChecksums = hasChecksums
  }

  /// Adds an entry and returns where its checksum will come from.
  ///
  /// - Throws: `limitExceeded` for a name or an alignment that does not fit the headers, and for an
  ///   archive of more than ``Limits/outputBytes``.
  package mutating func append(
    _ name: String, _ content: Content
  ) throws(FormatError) -> Checksum {
    let storedByteCount = content.storedByteCount
    guard storedByteCount <= Limits.outputBytes - plan.byteCount else {
      throw FormatError(
        .limitExceeded,
        "with the \(storedByteCount) bytes of '\(name)' the archive would have more than "
          + "\(Limits.outputBytes)")
    }
    var entry = PlannedEntry(
      name: name, encoding: content.encoding, byteCount: content.byteCount,
      storedByteCount: storedByteCount, offset: plan.byteCount)
    plan.append(.literal(try entry.localHeader(alignment: alignment)))
    let firstSegment = plan.segments.count
    for segment in content.segments { plan.append(segment) }
    if !hasChecksums || content.byteCount == 0 {
      entry.checksum = { _ in 0 }
    } else if let known = content.checksum {
      entry.checksum = known
    } else {
      let record = plan.closeRecord(from: firstSegment)
      entry.checksum = { $0[record] }
    }
    if content.byteCount > 0 {
      plan.append(
        .computed(byteCount: entry.descriptorByteCount) { [entry] in entry.dataDescriptor($0) })
    }
    directoryByteCount += entry.centralHeaderByteCount
    entries.append(entry)
    return entry.checksum
  }

  /// Ends the archive with its table of contents.
  ///
  /// - Throws: `limitExceeded` for a table of 4 GiB, which torch does not write either.
  package consuming func finish() throws(FormatError) -> FilePlan {
    guard directoryByteCount < UInt32.max else {
      throw FormatError(.limitExceeded, "the archive's table of contents would have 4 GiB")
    }
    let start = plan.byteCount
    plan.append(
      .computed(byteCount: directoryByteCount) { [entries, directoryByteCount] checksums in
        var writer = ByteWriter(capacity: directoryByteCount)
        for entry in entries { entry.writeCentralHeader(to: &writer, checksums) }
        return writer.bytes
      })
    plan.append(
      .literal(
        Self.endRecords(
          entryCount: entries.count, directory: start..<start + directoryByteCount)))
    return plan
  }

  /// The three records at the end, of which torch always writes all.
  private static func endRecords(entryCount: Int, directory: Range<Int>) -> [UInt8] {
    var writer = ByteWriter()
    Zip64EndOfCentralDirectory(
      remainingSize: UInt64(
        Zip64EndOfCentralDirectory.byteCount - Zip64EndOfCentralDirectory.leadingByteCount),
      // Unix and version 3.0; version 4.5 has ZIP64.
      versionMadeBy: 0x031e, versionNeeded: 0x002d, diskNumber: 0, centralDirectoryDisk: 0,
      diskEntryCount: UInt64(entryCount), entryCount: UInt64(entryCount),
      centralDirectorySize: UInt64(directory.count),
      centralDirectoryOffset: UInt64(directory.lowerBound)
    ).write(to: &writer)
    Zip64EndOfCentralDirectoryLocator(
      endRecordDisk: 0, endRecordOffset: UInt64(directory.upperBound), diskCount: 1
    ).write(to: &writer)
    EndOfCentralDirectory(
      diskNumber: 0, centralDirectoryDisk: 0,
      diskEntryCount: UInt16(clamping: entryCount), entryCount: UInt16(clamping: entryCount),
      centralDirectorySize: UInt32(clamping: directory.count),
      centralDirectoryOffset: UInt32(clamping: directory.lowerBound), commentLength: 0
    ).write(to: &writer)
    return writer.bytes
  }
}

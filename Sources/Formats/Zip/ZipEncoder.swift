package import CkptBase
package import CkptGraph
package import CkptPlan

/// Plans an archive with the layout of PyTorch's writer, byte for byte.
///
/// It follows `PyTorchStreamWriter` (`caffe2/serialize/inline_container.cc`) and miniz: checksums
/// after the data, aligned data, and always ZIP64 end records. Checksums are computed when the plan
/// runs, so no data is read here.
package struct ZipEncoder: Sendable {
  /// A function that returns the checksum of an entry's data.
  package typealias Checksum = @Sendable (RecordChecksums) -> UInt32

  /// The content of an entry.
  package struct Content: Sendable {
    /// The bytes in the archive.
    package var segments: [Segment]
    /// The encoding.
    package var encoding = FileRegion.Encoding.stored
    /// The decoded size in bytes.
    package var byteCount: Int
    /// The CRC-32 of the decoded bytes; `nil` for that of the segments.
    package var checksum: Checksum?

    /// Creates content that is stored without compression.
    package init(_ segments: [Segment], checksum: Checksum? = nil) {
      self.segments = segments
      byteCount = 0
      self.checksum = checksum
      byteCount = storedByteCount
    }

    /// The size in the archive, in bytes.
    var storedByteCount: Int { segments.reduce(0) { $0.addingClamped($1.byteCount) } }

    /// Creates content that is already compressed.
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

  /// Creates a planner of an empty archive.
  ///
  /// - Parameters:
  ///   - alignment: the alignment of data, in bytes.
  ///   - hasChecksums: whether checksums are computed; otherwise they are zero, as torch writes them
  ///     on request.
  package init(alignment: Int, hasChecksums: Bool) {
    self.alignment = max(alignment, 1)
    self.hasChecksums = hasChecksums
  }

  /// Adds an entry and returns the function for its checksum.
  ///
  /// - Throws: `limitExceeded` for a name or an alignment that does not fit the headers, and for an
  ///   archive of more than ``Limits/outputBytes``.
  package mutating func append(
    _ name: String, _ content: Content
  ) throws(CheckpointError) -> Checksum {
    let storedByteCount = content.storedByteCount
    guard storedByteCount <= Limits.outputBytes - plan.byteCount else {
      throw CheckpointError(
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

  /// Finishes the archive with its table of contents.
  ///
  /// - Throws: `limitExceeded` for a table of 4 GiB, which torch does not write either.
  package consuming func finish() throws(CheckpointError) -> FilePlan {
    guard directoryByteCount < UInt32.max else {
      throw CheckpointError(.limitExceeded, "the archive's table of contents would have 4 GiB")
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

  /// Returns the three records at the end; torch always writes all of them.
  private static func endRecords(entryCount: Int, directory: Range<Int>) -> [UInt8] {
    var writer = ByteWriter()
    Zip64EndOfCentralDirectory(
      remainingSize: UInt64(
        Zip64EndOfCentralDirectory.byteCount - Zip64EndOfCentralDirectory.leadingByteCount),
      // This means Unix and version 3.0. Version 4.5 has ZIP64.
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

/// An entry of a planned archive, with its records as torch writes them.
///
/// torch differs from other writers: it writes no version, time or date. Sizes and checksum in the
/// local header are zero even in ZIP64 entries. Padding in the extra field aligns the data. A local
/// ZIP64 field has the uncompressed size and zero as the compressed size
/// (`mz_zip_writer_add_mem_ex_v2` of `miniz.c`).
struct PlannedEntry: Sendable {
  let name: [UInt8]
  let encoding: FileRegion.Encoding
  let byteCount: Int
  let storedByteCount: Int
  /// The offset of the local header, in bytes from the start of the archive.
  let offset: Int
  var checksum: ZipEncoder.Checksum = { _ in 0 }

  init(
    name: String, encoding: FileRegion.Encoding, byteCount: Int, storedByteCount: Int, offset: Int
  ) {
    self.name = Array(name.utf8)
    self.encoding = encoding
    self.byteCount = byteCount
    self.storedByteCount = storedByteCount
    self.offset = offset
  }

  private static let descriptorSignature: UInt32 = 0x0807_4b50

  private var isLarge: Bool { byteCount >= UInt32.max || storedByteCount >= UInt32.max }
  private var isFar: Bool { offset >= UInt32.max }

  private var flags: GeneralPurposeFlags {
    byteCount > 0 ? [.utf8Name, .dataDescriptor] : .utf8Name
  }

  private var method: CompressionMethod {
    CompressionMethod(rawValue: encoding == .deflated ? 8 : 0)
  }

  /// Deflate needs version 2.0 of the format; torch needs nothing else.
  private var versionNeeded: UInt16 { encoding == .deflated ? 20 : 0 }

  // MARK: Local header

  /// Returns the local header with its name and extra field.
  ///
  /// - Throws: `limitExceeded` if either is too long for the format.
  func localHeader(alignment: Int) throws(CheckpointError) -> [UInt8] {
    let wide = zip64Field(uncompressed: byteCount, compressed: 0)
    let start =
      offset + LocalFileHeader.byteCount + name.count + ExtraField.leadingByteCount + wide.count
    let padding = (alignment - start % alignment) % alignment
    let extraLength = wide.count + ExtraField.leadingByteCount + padding
    guard let nameLength = UInt16(exactly: name.count),
      let extraLength = UInt16(exactly: extraLength)
    else {
      throw CheckpointError(
        .limitExceeded,
        "a record's name of \(name.count) bytes, or its filler of \(padding), does not fit an archive"
      )
    }
    var writer = ByteWriter(capacity: start + padding - offset)
    LocalFileHeader(
      versionNeeded: versionNeeded, flags: flags, method: method, modificationTime: 0,
      modificationDate: 0, crc32: 0, compressedSize: 0, uncompressedSize: 0,
      nameLength: nameLength, extraLength: extraLength
    ).write(to: &writer)
    writer.write(name)
    writer.write(wide)
    writer.write(integer: ExtraField.torchPaddingID)
    writer.write(integer: UInt16(padding))
    writer.write(UInt8(ascii: "Z"), count: padding)
    return writer.bytes
  }

  /// Returns the fields that exceed 32 bits; torch writes the offset into local headers too.
  private func zip64Field(uncompressed: Int, compressed: Int) -> [UInt8] {
    guard isLarge || isFar else { return [] }
    var writer = ByteWriter()
    writer.write(integer: Zip64ExtendedInformation.headerID)
    writer.write(integer: UInt16((isLarge ? 16 : 0) + (isFar ? 8 : 0)))
    if isLarge {
      writer.write(integer: UInt64(uncompressed))
      writer.write(integer: UInt64(compressed))
    }
    if isFar { writer.write(integer: UInt64(offset)) }
    return writer.bytes
  }

  // MARK: Behind the data

  /// The size of the data descriptor; every ZIP64 entry has wide sizes in it.
  var descriptorByteCount: Int { isLarge || isFar ? 24 : 16 }

  /// Returns the record after the data (APPNOTE 4.3.9).
  func dataDescriptor(_ checksums: RecordChecksums) -> [UInt8] {
    var writer = ByteWriter(capacity: descriptorByteCount)
    writer.write(integer: Self.descriptorSignature)
    writer.write(integer: checksum(checksums))
    if isLarge || isFar {
      writer.write(integer: UInt64(storedByteCount))
      writer.write(integer: UInt64(byteCount))
    } else {
      writer.write(integer: UInt32(storedByteCount))
      writer.write(integer: UInt32(byteCount))
    }
    return writer.bytes
  }

  // MARK: Central header

  /// The size of the central header with its name and extra field.
  var centralHeaderByteCount: Int {
    CentralDirectoryHeader.byteCount + name.count
      + zip64Field(uncompressed: byteCount, compressed: storedByteCount).count
  }

  /// Writes the central header of the entry.
  func writeCentralHeader(to writer: inout ByteWriter, _ checksums: RecordChecksums) {
    let wide = zip64Field(uncompressed: byteCount, compressed: storedByteCount)
    CentralDirectoryHeader(
      versionMadeBy: 0, versionNeeded: versionNeeded, flags: flags, method: method,
      modificationTime: 0, modificationDate: 0, crc32: checksum(checksums),
      compressedSize: UInt32(clamping: storedByteCount),
      uncompressedSize: UInt32(clamping: byteCount), nameLength: UInt16(name.count),
      extraLength: UInt16(wide.count), commentLength: 0, startDisk: 0, internalAttributes: 0,
      externalAttributes: 0, localHeaderOffset: UInt32(clamping: offset)
    ).write(to: &writer)
    writer.write(name)
    writer.write(wide)
  }
}

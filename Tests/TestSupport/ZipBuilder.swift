/// Builds archives byte for byte as `torch.save` does, and lets a test break one thing at a time.
///
/// Every number in the result is computed from the records, then handed to the matching edit, then
/// written. Source of the layout: `caffe2/serialize/inline_container.cc`.
package struct ZipBuilder: Sendable {
  /// One entry before it is written.
  package struct Record: Sendable {
    /// The bytes of the full name.
    package var name: [UInt8]
    /// The data as it will stand in the file.
    package var stored: [UInt8]
    /// The size of the data that the headers announce, in bytes.
    package var byteCount: Int
    /// The CRC-32 that the headers announce.
    package var crc32: UInt32
    /// The compression method that the headers announce.
    package var method: UInt16
    /// Zero bytes that follow `stored` and are counted as data, without taking memory.
    package var holeByteCount = 0
    /// Writes ZIP64 fields although 32 bits would do.
    package var forcesZip64 = false

    /// An entry that is stored as it is.
    package init(_ name: String, _ data: [UInt8]) {
      self.name = Array(name.utf8)
      stored = data
      byteCount = data.count
      crc32 = referenceCRC32(data)
      method = 0
    }

    /// An entry of `data` that `stream` decompresses to.
    package init(_ name: String, _ data: [UInt8], deflated stream: [UInt8]) {
      self.init(name, data)
      stored = stream
      method = 8
    }

    var storedByteCount: Int { stored.count + holeByteCount }
  }

  /// The entries in the order of the file.
  package var records: [Record]
  /// The alignment of data offsets; `nil` for no padding.
  package var alignment: Int? = 64
  /// Whether checksums and sizes of data stand behind it and not in the local header.
  package var hasDataDescriptors = true
  /// Whether the ZIP64 end record and its locator are written.
  package var hasZip64EndRecord = true
  /// The bytes before the archive.
  package var leading: [UInt8] = []
  /// Whether offsets count from the start of the file in spite of `leading`.
  package var hasAbsoluteOffsets = false
  /// The archive comment.
  package var comment: [UInt8] = []
  /// The bytes after the archive.
  package var trailing: [UInt8] = []
  /// The bytes between the last entry and the central directory.
  package var gap: [UInt8] = []

  /// Changes a local header before it is written; gets the index of its record.
  package var editLocal: @Sendable (Int, inout ZipLocalHeader) -> Void = { _, _ in }
  /// Changes a central header before it is written; gets the index of its record.
  package var editCentral: @Sendable (Int, inout ZipCentralHeader) -> Void = { _, _ in }
  /// Changes the ZIP64 end record before it is written.
  package var editZip64End: @Sendable (inout Zip64EndRecord) -> Void = { _ in }
  /// Changes the ZIP64 locator before it is written.
  package var editLocator: @Sendable (inout Zip64Locator) -> Void = { _ in }
  /// Changes the end record before it is written.
  package var editEnd: @Sendable (inout ZipEndRecord) -> Void = { _ in }

  /// A builder of an archive with these entries.
  package init(_ records: [Record]) { self.records = records }

  /// The records that torch 2.7 and later writes, below `prefix`.
  package static func torch(
    pickle: [UInt8], storages: [[UInt8]], prefix: String = "archive"
  ) -> ZipBuilder {
    var records = [
      Record("\(prefix)/data.pkl", pickle),
      Record("\(prefix)/.format_version", Array("1".utf8)),
      Record("\(prefix)/.storage_alignment", Array("64".utf8)),
      Record("\(prefix)/byteorder", Array("little".utf8)),
    ]
    for (key, storage) in storages.enumerated() {
      records.append(Record("\(prefix)/data/\(key)", storage))
    }
    records.append(Record("\(prefix)/version", Array("3\n".utf8)))
    let id = String(repeating: "0123456789", count: 4)
    records.append(Record("\(prefix)/.data/serialization_id", Array(id.utf8)))
    return ZipBuilder(records)
  }

  /// The archive as one array.
  package func bytes() -> [UInt8] {
    let (runs, byteCount) = runs()
    var bytes = [UInt8](repeating: 0, count: byteCount)
    for run in runs {
      bytes.replaceSubrange(run.offset..<run.offset + run.bytes.count, with: run.bytes)
    }
    return bytes
  }

  /// The archive as runs of bytes between holes, and its size.
  package func runs() -> (runs: [(offset: Int, bytes: [UInt8])], byteCount: Int) {
    var writer = ZipRunWriter(leading)
    let base = hasAbsoluteOffsets ? 0 : leading.count
    var centrals: [ZipCentralHeader] = []
    for (index, record) in records.enumerated() {
      let offset = writer.offset - base
      let local = localHeader(record, index, at: offset, dataBase: leading.count - base)
      writer.write(local.bytes)
      writer.write(record.stored)
      writer.skip(record.holeByteCount)
      if hasDataDescriptors, record.storedByteCount > 0 {
        writer.write(descriptor(record, at: offset))
      }
      centrals.append(centralHeader(record, index, at: offset))
    }
    writer.write(gap)
    let directory = writer.offset
    for central in centrals { writer.write(central.bytes) }
    writeEnd(to: &writer, directory: directory - base, base: base)
    writer.write(trailing)
    return (writer.runs, writer.offset)
  }

  private func localHeader(
    _ record: Record, _ index: Int, at offset: Int, dataBase: Int
  ) -> ZipLocalHeader {
    let describesBehind = hasDataDescriptors && record.storedByteCount > 0
    var header = ZipLocalHeader(name: record.name, method: record.method)
    header.flags = describesBehind ? 0x0808 : 0x0800
    if !describesBehind {
      header.crc32 = record.crc32
      header.compressedSize = UInt32(clamping: record.storedByteCount)
      header.uncompressedSize = UInt32(clamping: record.byteCount)
    }
    if isZip64(record, at: offset) {
      // torch writes the uncompressed size and no other beside a data descriptor.
      let sizes = [UInt64(record.byteCount), describesBehind ? 0 : UInt64(record.storedByteCount)]
      if record.forcesZip64, !describesBehind {
        (header.compressedSize, header.uncompressedSize) = (.max, .max)
      }
      header.extra = zip64Extra(sizes, record, at: offset)
    }
    if let alignment {
      let start = offset - dataBase + header.bytes.count + 4
      let count = (alignment - start % alignment) % alignment
      header.extra += [0x46, 0x42] + littleEndian(UInt16(count))
      header.extra += [UInt8](repeating: 0x5a, count: count)
    }
    editLocal(index, &header)
    return header
  }

  private func centralHeader(_ record: Record, _ index: Int, at offset: Int) -> ZipCentralHeader {
    var header = ZipCentralHeader(name: record.name, method: record.method)
    header.flags = hasDataDescriptors && record.storedByteCount > 0 ? 0x0808 : 0x0800
    header.crc32 = record.crc32
    header.compressedSize = UInt32(clamping: record.storedByteCount)
    header.uncompressedSize = UInt32(clamping: record.byteCount)
    header.localHeaderOffset = UInt32(clamping: offset)
    if isZip64(record, at: offset) {
      let sizes = [UInt64(record.byteCount), UInt64(record.storedByteCount)]
      if record.forcesZip64 {
        (header.compressedSize, header.uncompressedSize) = (.max, .max)
        header.localHeaderOffset = .max
      }
      header.extra = zip64Extra(sizes, record, at: offset)
    }
    editCentral(index, &header)
    return header
  }

  private func isZip64(_ record: Record, at offset: Int) -> Bool {
    record.forcesZip64 || record.storedByteCount >= UInt32.max || offset >= UInt32.max
  }

  private func zip64Extra(_ sizes: [UInt64], _ record: Record, at offset: Int) -> [UInt8] {
    var fields: [UInt64] = []
    if record.forcesZip64 || record.storedByteCount >= UInt32.max { fields += sizes }
    if record.forcesZip64 || offset >= UInt32.max { fields.append(UInt64(offset)) }
    return [1, 0] + littleEndian(UInt16(8 * fields.count)) + fields.flatMap(littleEndian)
  }

  private func descriptor(_ record: Record, at offset: Int) -> [UInt8] {
    let sizes = [record.storedByteCount, record.byteCount]
    return [0x50, 0x4b, 7, 8] + littleEndian(record.crc32)
      + (isZip64(record, at: offset)
        ? sizes.flatMap { littleEndian(UInt64($0)) }
        : sizes.flatMap { littleEndian(UInt32($0)) })
  }

  private func writeEnd(to writer: inout ZipRunWriter, directory: Int, base: Int) {
    let size = writer.offset - base - directory
    if hasZip64EndRecord {
      var record = Zip64EndRecord(count: records.count, size: size, offset: directory)
      editZip64End(&record)
      var locator = Zip64Locator(endRecordOffset: writer.offset - base)
      editLocator(&locator)
      writer.write(record.bytes)
      writer.write(locator.bytes)
    }
    var end = ZipEndRecord(count: records.count, size: size, offset: directory)
    end.commentLength = UInt16(comment.count)
    editEnd(&end)
    writer.write(end.bytes)
    writer.write(comment)
  }
}

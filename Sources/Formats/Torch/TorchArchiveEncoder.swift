internal import CkptBase
internal import CkptGraph
internal import CkptPlan
internal import CkptZip

/// Plans the archive that a description describes.
struct TorchArchiveEncoder {
  private let archive: TorchArchiveDescription
  private var zip: ZipEncoder
  private var serializationID = SerializationID()

  /// Returns the plan of `archive` with `pickle` as its record `data.pkl`.
  ///
  /// `storage` returns the segments of a storage record by its name and size.
  ///
  /// - Throws: `malformed` for an archive that torch cannot open, and the errors of `storage`.
  static func plan(
    _ archive: TorchArchiveDescription, pickle: [UInt8],
    storage: (String, Int) throws(CheckpointError) -> [Segment]
  ) throws(CheckpointError) -> FilePlan {
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
  ) throws(CheckpointError) {
    let checksum = try zip.append("\(archive.prefix)/\(name)", content)
    serializationID.add(
      name, leadingBytes: try leadingBytes(of: content),
      checksum: content.byteCount > 0 ? checksum : nil)
  }

  private mutating func appendSerializationID(replacing found: [UInt8]) throws(CheckpointError) {
    let name = TorchArchiveDescription.serializationIDRecord
    let text = serializationID.text(replacing: found.isEmpty ? nil : found)
    let content = ZipEncoder.Content(
      [.computed(byteCount: SerializationID.byteCount, text)],
      checksum: { CRC32.checksum(text($0).span) })
    _ = try zip.append("\(archive.prefix)/\(name)", content)
  }

  /// Returns the first eight bytes of a record, if it begins with bytes in memory.
  private func leadingBytes(of content: ZipEncoder.Content) throws(CheckpointError) -> [UInt8] {
    switch content.segments.first {
    case .literal(let bytes): return Array(bytes.prefix(8))
    case .copy(let region, let range) where region.encoding == .stored && range.count >= 8:
      let start = region.range.lowerBound + range.lowerBound
      return try region.source.bytes(in: start..<start + 8)
    default: return []
    }
  }

  /// Returns a compressed record as it is, with the checksum of its inflated bytes.
  private static func inflating(
    _ name: String, _ bytes: [UInt8], _ byteCount: Int, of archive: TorchArchiveDescription
  ) throws(CheckpointError) -> ZipEncoder.Content {
    guard byteCount <= Limits.smallRecordBytes else {
      throw CheckpointError(
        .limitExceeded,
        "record '\(name)' has \(byteCount) bytes, more than "
          + "\(Limits.smallRecordBytes)")
    }
    let inflated = try CheckpointError.within(name) { () throws(CheckpointError) in
      try Inflater.inflate(bytes, byteCount: byteCount)
    }
    try archive.check(name, inflated)
    return .init(
      deflated: bytes, byteCount: byteCount, crc32: CRC32.checksum(inflated.span))
  }
}

/// Inserts records into the description of an archive, in the order of torch's writer.
extension TorchArchiveDescription {
  /// Returns an archive without storages, as PyTorch 2.7 and later write it.
  static func current(prefix: String) -> TorchArchiveDescription {
    TorchArchiveDescription(
      .zip, prefix: prefix, pickleProtocol: 2, isBigEndian: false,
      hasChecksums: true,
      records: [
        .pickle(name: "data.pkl"),
        .other(name: formatVersionRecord, bytes: Array("1".utf8)),
        .other(name: alignmentRecord, bytes: Array("64".utf8)),
        .other(name: byteOrderRecord, bytes: Array("little".utf8)),
        .other(name: versionRecord, bytes: Array("3\n".utf8)),
        .other(name: serializationIDRecord, bytes: []),
      ])
  }

  private static let versionRecord = "version"

  /// The limit of numeric storage names that count for ``firstFreeKey``; no archive has that many.
  private static let keyLimit = 1 << 62

  /// The first of the numbers that no storage uses as its key.
  var firstFreeKey: Int {
    Self.firstFreeKey(
      among: records.lazy.compactMap { record in
        guard case .storage(let name, _) = record, name.begins(with: Self.storagePrefix) else {
          return nil
        }
        return name.droppingFirst(Self.storagePrefix.utf8.count)
      })
  }

  /// Returns a number above all numbers in `keys`.
  static func firstFreeKey(among keys: some Sequence<String>) -> Int {
    keys.reduce(0) { first, text in
      guard let key = Int(text), key >= first, key < Self.keyLimit else { return first }
      return key + 1
    }
  }

  /// Adds the records that are missing.
  ///
  /// From torch 2.7 on storages are sorted by number, before that by the text of their numbers.
  /// Other records stand before the storages.
  mutating func insert(_ new: [Record]) {
    let all = records + new
    var names = TextTable(expectedCount: all.count)
    var added: [Record] = []
    for (index, record) in all.enumerated() {
      let name = ExactString(record.name)
      let known = names.update(index, hash: TextTable.hash(name.text.utf8.span)) {
        ExactString(all[$0].name) == name
      }
      if known == nil, index >= records.count { added.append(record) }
    }
    guard !added.isEmpty else { return }
    insertDistinct(added)
  }

  private mutating func insertDistinct(_ new: [Record]) {
    let others = new.filter { !$0.isStorage }
    records.insert(contentsOf: others, at: firstStoragePlace)
    let storages = new.filter(\.isStorage)
    guard !storages.isEmpty else { return }
    let start = firstStoragePlace
    let end = records.lastIndex(where: \.isStorage).map { $0 + 1 } ?? start
    if has(Self.formatVersionRecord) {
      records.insert(contentsOf: storages, at: end)
    } else {
      let sorted = (records[start..<end] + storages).sorted {
        $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
      }
      records.replaceSubrange(start..<end, with: sorted)
    }
  }

  private var firstStoragePlace: Int {
    records.firstIndex(where: \.isStorage)
      ?? records.firstIndex { $0.name == Self.versionRecord } ?? records.count
  }

  /// Checks that torch, and any program that unpacks archives, reads the archive as it is meant.
  ///
  /// A skeleton can name records freely.
  ///
  /// - Throws: `malformed` for names that lead elsewhere or are repeated, for an archive without
  ///   its pickle, and for a record that contradicts the byte order of the storages.
  func validate() throws(CheckpointError) {
    guard alignment > 0, alignment <= 1 << 15 else {
      throw CheckpointError(.malformed, "\(alignment) is not a valid alignment of an archive")
    }
    try validateNames()
    for case .other(let name, let bytes) in records { try check(name, bytes) }
    guard
      !isBigEndian || records.contains(where: { $0.name.equalsIgnoringCase(Self.byteOrderRecord) })
    else {
      throw CheckpointError(.malformed, "the storages are big-endian, but no record says so")
    }
    let pickles = records.filter { if case .pickle = $0 { true } else { false } }
    guard pickles.count == 1, pickles.first?.name == "data.pkl" else {
      throw CheckpointError(
        .malformed, "the archive needs exactly one pickle, in the record 'data.pkl'")
    }
  }

  /// Checks that the names of the directory and the records are valid and unique file names.
  ///
  /// - Throws: `malformed` for names that lead elsewhere or are repeated.
  func validateNames() throws(CheckpointError) {
    // torch makes "." of the name "..pt"; it leads nowhere else.
    guard prefix == "." || Self.isHarmless(prefix), !prefix.utf8.contains(UInt8(ascii: "/")) else {
      throw CheckpointError(.malformed, "'\(prefix)' is not a valid directory of an archive")
    }
    // torch ignores case in names.
    var names = TextTable(expectedCount: records.count)
    var otherNames: Set<ExactString> = []
    for (index, record) in records.enumerated() {
      let name = record.name
      guard Self.isHarmless(name) else {
        throw CheckpointError(.malformed, "'\(name)' is not a valid record name")
      }
      let isASCII = name.utf8.allSatisfy { $0 < 0x80 }
      let isNew =
        isASCII
        ? names.update(
          index, hash: TextTable.hash(name.utf8.span, ignoringCase: true),
          where: { records[$0].name.equalsIgnoringCase(name) }) == nil
        : otherNames.insert(ExactString(name.lowercased())).inserted
      guard isNew else { throw CheckpointError(.malformed, "two records are named '\(name)'") }
    }
  }

  /// Checks that a record does not contradict the byte order of the storages.
  ///
  /// - Throws: `malformed` for a record `byteorder` that does.
  func check(_ record: String, _ bytes: [UInt8]) throws(CheckpointError) {
    // torch ignores case in names.
    guard record.lowercased() == "byteorder" else { return }
    let expected = isBigEndian ? "big" : "little"
    guard bytes.elementsEqual(expected.utf8) else {
      throw CheckpointError(
        .malformed, "record '\(record)' does not say '\(expected)', the byte order of the storages")
    }
  }

  private static func isHarmless(_ name: String) -> Bool {
    let bytes = name.utf8.span
    let dot = UInt8(ascii: ".")
    var start = 0
    for index in 0...bytes.count {
      guard index == bytes.count || bytes[index] == UInt8(ascii: "/") else {
        if bytes[index] == 0 || bytes[index] == UInt8(ascii: "\\") { return false }
        continue
      }
      // An empty part, "." and ".." lead elsewhere.
      let isDots = index - start <= 2 && (start..<index).allSatisfy { bytes[$0] == dot }
      if isDots { return false }
      start = index + 1
    }
    return true
  }
}

extension TorchArchiveDescription.Record {
  /// Whether it is a storage.
  fileprivate var isStorage: Bool { if case .storage = self { true } else { false } }
}

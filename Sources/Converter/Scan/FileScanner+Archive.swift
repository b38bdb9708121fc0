internal import CkptBase
internal import CkptFormats
internal import CkptLegacy
internal import CkptPickle
internal import CkptZip

/// ZIP archives, whatever they contradict.
extension FileScanner {
  /// The largest entry that is read as a whole, which is when its checksum is compared, in bytes.
  private static let smallByteCount = 1 << 20
  /// The number of bytes of a compressed entry that are read to tell what it is.
  private static let headByteCount = 64 << 10
  /// The ends of the names of pickles: those that torch reads, and those of others.
  private static let pickleSuffixes = [
    "/data.pkl", "/constants.pkl", "/attributes.pkl", ".debug_pkl", ".pkl", ".pickle", ".joblib",
    ".dill",
  ]
  /// The ends of the names of code, and what it is.
  private static let codeSuffixes: [(suffix: String, words: String)] = [
    (".py", "TorchScript or Python code"), (".pyc", "compiled Python code"),
    (".so", "a shared library"), (".dll", "a shared library"), (".dylib", "a shared library"),
    (".sh", "a shell script"),
  ]

  /// Scans the archive at the end of an item; returns its kind, or `nil` if it is not one after all, or
  /// one of the `members` that have been scanned.
  mutating func scanArchive(
    _ item: Item, at end: ArchiveEnd, isAlone: Bool, outside members: [Range<Int>]
  ) throws(CheckpointError) -> String? {
    var faults = ZipDiagnostics(tolerated: true)
    let directory = try ZipDirectory(reading: end, &faults)
    // The mark of an archive also occurs in programs that read archives.
    guard isAlone || !directory.entries.isEmpty else { return nil }
    let start = directory.layout.archiveOffset
    if start > 0, members.contains(where: { $0.contains(start) }) { return nil }
    if !isAlone {
      note(.suspicious, at: item, "the file is a ZIP archive as well as what it begins as")
    }
    let isTorch = directory.entries.contains { $0.name.ends(with: "/data.pkl") }
    for entry in directory.entries {
      try scan(entry, of: directory, item, isTorch: isTorch, &faults)
    }
    for entry in try directory.strayEntries() {
      note(
        .suspicious, at: item.inner(item.source, entry.name),
        "the table of contents does not list this entry at byte \(entry.localHeaderOffset)")
      try scan(entry, of: directory, item, isTorch: isTorch, &faults)
    }
    for fault in faults.found { note(fault, at: item) }
    if faults.count > faults.found.count {
      note(.broken, at: item, "\(faults.count - faults.found.count) further contradictions")
    }
    try scanSurroundings(of: directory, item)
    let isTorchScript = directory.entries.contains { $0.name.ends(with: "/constants.pkl") }
    return isTorchScript ? "TorchScript archive" : "ZIP archive"
  }

  /// Scans entries that have local headers but no table of contents.
  mutating func scanBrokenArchive(_ item: Item) throws(CheckpointError) {
    if let problem = FileKind.truncatedZip.problem { note(problem, at: item) }
    let entries = try ZipDirectory.strayEntries(of: item.source, in: 0..<item.source.byteCount)
    let isTorch = entries.contains { $0.name.ends(with: "/data.pkl") }
    for entry in entries where entry.encoding == .stored {
      let range = entry.dataRange.clamped(to: 0..<item.source.byteCount)
      let expectation = expectation(of: entry, isTorch: isTorch)
      try scan(
        item.inner(SliceSource(range, of: item.source), entry.name),
        expectation == .pickle ? .pickleStart : expectation)
    }
    for entry in entries where entry.encoding != .stored {
      note(.unread, at: item.inner(item.source, entry.name), "a compressed entry")
    }
  }

  /// Scans the bytes before and after the archive.
  private mutating func scanSurroundings(
    of directory: ZipDirectory, _ item: Item
  ) throws(CheckpointError) {
    let layout = directory.layout
    let byteCount = item.source.byteCount
    if layout.archiveOffset > 0 {
      // What the file begins as has been looked at.
      note(.suspicious, at: item, "\(layout.archiveOffset) bytes stand before the archive")
    }
    let after = layout.trailingByteCount + layout.commentLength
    if after > 0, after <= byteCount {
      let start = byteCount - after
      note(.suspicious, at: item, offset: start, "\(after) bytes stand after the archive")
      try scan(
        item.inner(SliceSource(start..<byteCount, of: item.source), "after the archive"))
    }
  }

  private mutating func scan(
    _ entry: ZipEntry, of directory: ZipDirectory, _ item: Item, isTorch: Bool,
    _ faults: inout ZipDiagnostics
  ) throws(CheckpointError) {
    if let code = Self.codeSuffixes.first(where: { entry.name.ends(with: $0.suffix) }) {
      note(.opaque, at: item.inner(item.source, entry.name), code.words)
    }
    let expectation = expectation(of: entry, isTorch: isTorch)
    let range = entry.dataRange.clamped(to: 0..<item.source.byteCount)
    // Storages that programs fill in later have no checksum to compare.
    let isUnchecked = expectation == .tensor && entry.lacksChecksum
    if expectation != .pickle, entry.byteCount > Self.smallByteCount || isUnchecked {
      if entry.encoding == .stored {
        let slice = try SliceSource(range, of: item.source)
        try scan(item.inner(slice, entry.name), expectation)
        return
      }
      // The first bytes tell whether the rest has to be decompressed.
      var ignored = ZipDiagnostics(tolerated: true)
      let head = try directory.readRecord(entry, limit: Self.headByteCount, &ignored)
      budget -= head.count
      guard try isPromising(head) else { return }
    }
    guard budget > 0 else {
      return note(
        .unread, at: item.inner(item.source, entry.name),
        "the entries overlap or decompress to many times the size of the file")
    }
    // What is announced bounds what is decompressed.
    let limit = min(max(entry.byteCount, Self.smallByteCount), Limits.pickleBytes, budget)
    let bytes = try directory.readRecord(entry, limit: limit, &faults)
    budget -= bytes.count
    try scan(item.inner(MemorySource(bytes, name: entry.name), entry.name), expectation)
  }

  /// Whether the rest of a compressed entry has to be looked at, by its first bytes.
  private func isPromising(_ head: [UInt8]) throws(CheckpointError) -> Bool {
    let scan = PickleScan(head.span, stopsAtFault: true)
    if scan.isCut || scan.isConvincing || TarArchive.hasHeader(head) { return true }
    switch try FileKind.sniff(MemorySource(head, name: "")) {
    case .container, .truncatedZip, .tar, .compressed, .foreign: return true
    default: return false
    }
  }

  private func expectation(of entry: ZipEntry, isTorch: Bool) -> Expectation {
    let name = entry.name.lowercased()
    if name == "data.pkl" || Self.pickleSuffixes.contains(where: { name.ends(with: $0) }) {
      return .pickle
    }
    return isTorch && name.split(separator: "/").dropFirst().first == "data" ? .tensor : .anything
  }
}

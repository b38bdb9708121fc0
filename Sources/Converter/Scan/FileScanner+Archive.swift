internal import CkptBase
internal import CkptFormats
internal import CkptGraph
internal import CkptPickle
internal import CkptZip

/// Scans ZIP archives, even those that contradict themselves.
extension FileScanner {
  /// The size up to which an entry is scanned whatever its name, in bytes.
  private static let smallByteCount = 1 << 20
  /// The maximum number of bytes to read for each byte of the file.
  ///
  /// Entries can share their data, and data can inflate to a thousand times its size.
  private static let readingRatio = 16
  private static let readingAtLeast = 256 << 20
  /// The suffixes of entries that torch reads as pickles.
  private static let pickleNames = ["/data.pkl", "/constants.pkl", "/attributes.pkl", ".debug_pkl"]
  /// The suffixes of other pickles.
  private static let pickleSuffixes = [".pkl", ".pickle", ".joblib", ".dill"]
  /// The suffixes of code, and the kind of code.
  private static let codeSuffixes: [(suffix: String, words: String)] = [
    (".py", "TorchScript or Python code"), (".pyc", "compiled Python code"),
    (".so", "a shared library"), (".dll", "a shared library"), (".dylib", "a shared library"),
    (".sh", "a shell script"),
  ]

  /// Scans the archive at the end of the file.
  ///
  /// Returns its kind, or `nil` if it is not an archive after all.
  mutating func scanArchive(
    at end: ArchiveEnd, isPolyglot: Bool
  ) throws(CheckpointError) -> String? {
    var faults = ZipDiagnostics(tolerated: true)
    let directory = try ZipDirectory(reading: end, &faults)
    // Programs that read archives contain the signature too; without entries it is no archive.
    guard !isPolyglot || !directory.entries.isEmpty else { return nil }
    if isPolyglot {
      note(.suspicious, "the file is also a ZIP archive")
    }
    var budget = max(Self.readingAtLeast, source.byteCount / 4 * Self.readingRatio)
    for entry in directory.entries {
      try scan(entry, of: directory, &faults, &budget)
    }
    for entry in try directory.strayEntries() {
      note(
        .suspicious, at: [entry.name], offset: nil,
        "the table of contents does not list this entry at byte \(entry.localHeaderOffset)")
      try scan(entry, of: directory, &faults, &budget)
    }
    for fault in faults.found { note(fault) }
    if faults.count > faults.found.count {
      note(.broken, "\(faults.count - faults.found.count) more contradictions")
    }
    if budget < 0 {
      note(
        .broken,
        "the entries overlap or inflate to many times the size of the file; some of them were not "
          + "scanned")
    }
    try scanSurroundings(of: directory)
    let isTorchScript = directory.entries.contains { $0.name.ends(with: "/constants.pkl") }
    return isTorchScript ? "TorchScript archive" : "ZIP archive"
  }

  /// Scans a file with local headers but without a table of contents.
  mutating func scanBrokenArchive() throws(CheckpointError) {
    if let problem = FileKind.truncatedZip.problem { note(problem) }
    for entry in try ZipDirectory.strayEntries(of: source, in: 0..<source.byteCount)
    where entry.encoding == .stored {
      let expectation = expectation(of: entry.name)
      if expectation == .pickle {
        try sweepEntry(entry, expectation)
      } else {
        try scanHead(entry)
      }
    }
  }

  /// Scans the bytes before and after the archive.
  private mutating func scanSurroundings(of directory: ZipDirectory) throws(CheckpointError) {
    let layout = directory.layout
    if layout.archiveOffset > 0 {
      note(.suspicious, "\(layout.archiveOffset) bytes precede the archive")
      try sweep(
        0..<min(layout.archiveOffset, source.byteCount), at: [], .anything, allowsRest: true)
    }
    let behind = layout.trailingByteCount + layout.commentLength
    if behind > 0, behind <= source.byteCount {
      let start = source.byteCount - behind
      note(.suspicious, offset: start, "\(behind) bytes follow the archive")
      try sweep(start..<source.byteCount, at: [], .anything, allowsRest: true)
    }
  }

  private mutating func scan(
    _ entry: ZipEntry, of directory: ZipDirectory, _ faults: inout ZipDiagnostics,
    _ budget: inout Int
  ) throws(CheckpointError) {
    if let code = Self.codeSuffixes.first(where: { entry.name.ends(with: $0.suffix) }) {
      note(.opaque, at: [entry.name], code.words)
    }
    let expectation = expectation(of: entry.name)
    let isWhole = expectation == .pickle || entry.byteCount <= Self.smallByteCount
    guard budget >= 0 else { return }
    if isWhole {
      // The declared size limits the inflated size.
      let limit = min(entry.pickleByteLimit, max(entry.byteCount, Self.smallByteCount))
      let bytes = try directory.readRecord(entry, limit: limit, &faults)
      budget -= bytes.count
      add(PickleSweep(bytes, at: [entry.name], expectation, allowsRest: expectation == .anything))
      noteUnusual(entry)
      return
    }
    var ignored = ZipDiagnostics(tolerated: true)
    let head = try directory.readRecord(entry, limit: Self.headByteCount, &ignored)
    budget -= head.count
    guard PickleScan(head.span).isConvincing(head[...]) else {
      if head.starts(with: "PK\u{3}\u{4}".utf8) {
        note(
          .suspicious, at: [entry.name], "a ZIP archive inside the archive, which was not scanned")
      }
      return
    }
    let bytes = try directory.readRecord(entry, limit: entry.pickleByteLimit, &faults)
    budget -= bytes.count
    add(PickleSweep(bytes, at: [entry.name], .anything, allowsRest: true))
  }

  /// Tests whether an entry is a pickle in spite of its name.
  private mutating func scanHead(_ entry: ZipEntry) throws(CheckpointError) {
    let end = min(entry.dataRange.upperBound, entry.dataOffset + Self.headByteCount)
    let head = try source.bytes(in: entry.dataOffset..<end)
    guard PickleScan(head.span).isConvincing(head[...]) else { return }
    try sweepEntry(entry, .anything)
  }

  private mutating func sweepEntry(
    _ entry: ZipEntry, _ expectation: PickleSweep.Expectation
  ) throws(CheckpointError) {
    let range = entry.dataRange.clamped(to: 0..<source.byteCount)
    try sweep(range, at: [entry.name], expectation, allowsRest: true)
  }

  private func expectation(of name: String) -> PickleSweep.Expectation {
    let name = name.lowercased()
    let suffixes = Self.pickleNames + Self.pickleSuffixes
    return suffixes.contains { name.ends(with: $0) } || name == "data.pkl" ? .pickle : .anything
  }

  private mutating func noteUnusual(_ entry: ZipEntry) {
    let name = entry.name.lowercased()
    guard Self.pickleSuffixes.contains(where: name.ends),
      !Self.pickleNames.contains(where: name.ends)
    else { return }
    note(.suspicious, at: [entry.name], "a pickle that torch.load does not read")
  }
}

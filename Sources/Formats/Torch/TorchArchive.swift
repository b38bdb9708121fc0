package import CkptBase
package import CkptContainer
package import CkptGraph
internal import CkptPickle
package import CkptZip

/// An open archive of `torch.save`.
///
/// All records lie in one directory. It has the name of the file that the archive was first saved
/// to (`caffe2/serialize/inline_container.cc`), whatever the file is called now.
package struct TorchArchive: Sendable {
  /// The directory inside the archive.
  package let prefix: String
  /// Whether numbers in storages are big-endian.
  package let isBigEndian: Bool
  private let directory: ZipDirectory
  /// The record with the byte order.
  private let byteOrder: (entry: ZipEntry, bytes: [UInt8])?
  /// The prefix of the names of all storage entries.
  private let storageBeginning: String

  private static let pickleName = "data.pkl"
  private static let storagePrefix = TorchArchiveDescription.storagePrefix

  /// Opens the archive in `source`.
  ///
  /// - Throws: the errors of ``ZipDirectory``; `unsupported` for an archive that is not torch's.
  package init(reading source: any ByteSource) throws(CheckpointError) {
    try self.init(ZipDirectory(reading: source))
  }

  /// Opens the archive with the given table of contents.
  ///
  /// - Throws: `malformed` for an empty archive, `unsupported` for one that is not torch's.
  package init(_ directory: ZipDirectory) throws(CheckpointError) {
    self.directory = directory
    guard let first = directory.entries.first else {
      throw CheckpointError(.malformed, "the archive is empty")
    }
    guard let slash = first.name.utf8.firstIndex(of: UInt8(ascii: "/")) else {
      throw Self.notTorch(directory, "its first entry '\(first.name)' is not in a directory")
    }
    prefix = String(first.name[..<slash])
    let beginning = prefix + "/"
    storageBeginning = beginning + Self.storagePrefix
    for entry in directory.entries where !entry.name.begins(with: beginning) {
      throw Self.notTorch(
        directory, "'\(entry.name)' is outside of the directory '\(beginning)'")
    }
    // torch also accepts the name in capitals, which other readers miss.
    guard let pickle = directory.entry(named: "\(prefix)/\(Self.pickleName)"),
      pickle.name.ends(with: Self.pickleName)
    else { throw Self.notTorch(directory, "it has no record '\(Self.pickleName)'") }
    byteOrder = try directory.entry(
      named: "\(prefix)/\(TorchArchiveDescription.byteOrderRecord)"
    ).map { entry throws(CheckpointError) in
      (entry, try directory.readRecord(entry, limit: 64))
    }
    isBigEndian = try byteOrder.map(Self.isBigEndian) ?? false
  }

  /// Returns the record with a name, without the prefix.
  private func record(_ name: String) -> ZipEntry? { directory.entry(named: "\(prefix)/\(name)") }

  /// Returns the name of an entry without the prefix.
  private func recordName(of entry: ZipEntry) -> String {
    entry.name.droppingFirst(prefix.utf8.count + 1)
  }

  private static func notTorch(
    _ directory: ZipDirectory, _ reason: String
  ) -> CheckpointError {
    ForeignArchive.refusal(of: directory)
      ?? CheckpointError(
        .unsupported, "a ZIP archive that torch.save did not write: \(reason)",
        remedy: "give a file that torch.save or torch.jit.save wrote")
  }

  private static func isBigEndian(
    _ record: (entry: ZipEntry, bytes: [UInt8])
  ) throws(CheckpointError) -> Bool {
    let text = String(decoding: record.bytes, as: UTF8.self)
    switch text {
    case "little": return false
    case "big": return true
    default:
      throw CheckpointError(.malformed, "the byte order is '\(text)', not 'little' or 'big'")
        .framed(by: record.entry.name)
    }
  }

  /// Whether `torch.jit.save` wrote the archive.
  package var isTorchScript: Bool { record("constants.pkl") != nil }

  /// The full name of the pickle's entry, for messages.
  package var pickleEntryName: String { "\(prefix)/\(Self.pickleName)" }

  /// Returns the bytes of the pickle.
  ///
  /// - Throws: the errors of ``ZipDirectory/readRecord(_:limit:)``.
  package func readPickle() throws(CheckpointError) -> [UInt8] {
    guard let entry = record(Self.pickleName) else { return [] }
    return try directory.readRecord(entry, limit: entry.pickleByteLimit)
  }

  /// Returns the region of the storage with a key, or `nil` for none.
  ///
  /// torch follows a key to any record and ignores case. Here a key is the exact name of a storage,
  /// so two keys never mean one record, and none means a record of another kind.
  package func storageRegion(key: String) -> FileRegion? {
    guard !key.isEmpty, !key.utf8.contains(UInt8(ascii: "/")),
      let entry = directory.entry(named: storageBeginning + key, ignoringCase: false)
    else { return nil }
    return entry.region(in: directory)
  }

  /// Returns the regions of the storages that are not among `storages`, in the order of the
  /// archive.
  package func regions(besides storages: [Storage]) -> [FileRegion] {
    let used = Set(storages.lazy.compactMap { $0.region?.range.lowerBound })
    return directory.entries.filter { isStorage($0) && !used.contains($0.dataOffset) }
      .map { $0.region(in: directory) }
  }

  /// The number of storages without a checksum.
  package var uncheckedStorageCount: Int {
    directory.entries.count { $0.lacksChecksum && isStorage($0) }
  }

  private func isStorage(_ entry: ZipEntry) -> Bool {
    guard entry.name.begins(with: storageBeginning) else { return false }
    let name = entry.name.utf8.span
    let start = storageBeginning.utf8.count
    for index in start..<name.count where name[index] == UInt8(ascii: "/") { return false }
    return name.count > start
  }

  /// Describes the archive, reading every small record.
  ///
  /// - Throws: `limitExceeded` if the records other than pickle and storages are large.
  package func describe(pickleProtocol: Int) throws(CheckpointError) -> TorchArchiveDescription {
    var budget = Limits.smallRecordBytes
    var described: [TorchArchiveDescription.Record] = []
    for entry in directory.entries where !entry.isDirectory {
      let name = recordName(of: entry)
      if name == Self.pickleName {
        described.append(.pickle(name: name))
      } else if isStorage(entry) {
        described.append(.storage(name: name, byteCount: entry.byteCount))
      } else {
        let bytes = try small(entry, limit: budget)
        budget -= bytes.count
        described.append(try record(name, entry, bytes))
      }
    }
    let layout = directory.layout
    return TorchArchiveDescription(
      isTorchScript ? .torchScript : .zip, prefix: prefix, pickleProtocol: pickleProtocol,
      isBigEndian: isBigEndian, hasChecksums: layout.hasChecksums,
      foreignAlignment: layout.hasTorchPadding ? nil : layout.dataAlignment, records: described)
  }

  /// Reads a small record.
  private func small(_ entry: ZipEntry, limit: Int) throws(CheckpointError) -> [UInt8] {
    if let byteOrder, byteOrder.entry.dataOffset == entry.dataOffset { return byteOrder.bytes }
    return try directory.readRecord(entry, limit: limit)
  }

  /// Reads a small record.
  ///
  /// A compressed record keeps its compressed bytes, because only the program that compressed them
  /// is sure to produce them again.
  private func record(
    _ name: String, _ entry: ZipEntry, _ bytes: [UInt8]
  ) throws(CheckpointError) -> TorchArchiveDescription.Record {
    guard entry.encoding == .deflated else { return .other(name: name, bytes: bytes) }
    return .compressed(
      name: name, bytes: try directory.source.bytes(in: entry.dataRange), byteCount: bytes.count)
  }
}

/// Reads the files of `torch.save` without their tensor data and without running anything.
package enum TorchReader: Sendable {
  /// Reads a `.pt` file.
  ///
  /// - Parameters:
  ///   - source: an archive of `torch.save` or `torch.jit.save`.
  ///   - dropsUnsafe: replaces globals that can run code by `None`.
  /// - Returns: the contents, the description of the archive, and warnings.
  /// - Throws: ``CheckpointError`` with the file and the archive entry in its path.
  package static func read(
    _ source: any ByteSource, droppingUnsafe dropsUnsafe: Bool = false
  ) throws(CheckpointError) -> Checkpoint {
    let directory = try CheckpointError.within(source.name) { () throws(CheckpointError) in
      try ZipDirectory(reading: source)
    }
    return try read(directory, droppingUnsafe: dropsUnsafe)
  }

  /// The contents of the archive with that table of contents.
  ///
  /// - Throws: what ``read(_:droppingUnsafe:)-(any ByteSource,_)`` throws.
  package static func read(
    _ directory: ZipDirectory, droppingUnsafe dropsUnsafe: Bool
  ) throws(CheckpointError) -> Checkpoint {
    try CheckpointError.within(directory.source.name) { () throws(CheckpointError) in
      let archive = try TorchArchive(directory)
      let pickle = try archive.readPickle()
      let (graph, version, pickleWarnings) = try readGraph(
        of: archive, pickle, dropsUnsafe: dropsUnsafe)
      var description = try archive.describe(pickleProtocol: version)
      // What could not be written again is not read.
      try description.validateNames()
      // What was dropped from the object must not come back with its spelling.
      if !dropsUnsafe { description.pickleBytes = pickle }
      return Checkpoint(
        graph: graph,
        container: description, byteCount: directory.source.byteCount,
        unusedRegions: archive.regions(besides: graph.storages),
        warnings: pickleWarnings
          + warnings(
            graph, description, uncheckedCount: archive.uncheckedStorageCount))
    }
  }

  private static func readGraph(
    of archive: TorchArchive, _ bytes: [UInt8], dropsUnsafe: Bool
  ) throws(CheckpointError) -> (TensorGraph, Int, warnings: [String]) {
    try CheckpointError.within(archive.pickleEntryName) { () throws(CheckpointError) in
      var unpickler = Unpickler(unsafeGlobals: dropsUnsafe ? .drop : .refuse)
      var reader = ByteReader(bytes.span)
      let root = try unpickler.load(&reader)
      let (version, warnings) = (unpickler.pickleProtocol, unpickler.dropped.warnings)
      var graph = unpickler.finish()
      graph.root = root
      var recognizer = TensorRecognizer(graph: consume graph, storages: archive)
      try recognizer.recognize()
      return (recognizer.finish(), version, warnings)
    }
  }

  private static func warnings(
    _ graph: TensorGraph, _ archive: TorchArchiveDescription, uncheckedCount: Int
  ) -> [String] {
    var warnings: [String] = []
    if !archive.hasChecksums {
      warnings.append("the archive has no checksums: damage to its data cannot be noticed")
    } else if uncheckedCount > 0 {
      let storages = uncheckedCount == 1 ? "1 storage has" : "\(uncheckedCount) storages have"
      warnings.append("\(storages) no checksum: damage to the data cannot be noticed")
    }
    return warnings + graph.discardedWarnings
  }
}

extension TensorGraph {
  /// Warnings about calls whose results the pickle throws away.
  package var discardedWarnings: [String] {
    guard !discarded.isEmpty else { return [] }
    let calls = discarded.prefix(3).map { description(of: $0, limit: 60) }
    return [
      "the pickle throws away the results of \(discarded.count) calls: "
        + calls.joined(separator: ", ")
    ]
  }
}

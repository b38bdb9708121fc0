package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptTorch

/// Reads the legacy format of `torch.save`, and none of its tensor data.
///
/// Five pickles follow each other, and behind them the storages in the order of their keys: the number
/// of elements in eight bytes, then the elements, little-endian on every machine
/// (`torch/serialization.py`, `_legacy_save`; `writeFileRaw` in `torch/csrc/serialization.cpp`). Nothing
/// in the file says where a part of it begins.
package struct LegacyReader {
  /// A pickle of every file, by its place among the five.
  enum Pickle: Int, CaseIterable {
    case magicNumber, protocolVersion, systemInfo, object, storageKeys

    /// The name of the pickle as a record.
    var recordName: String { TorchArchiveDescription.legacyPickles[rawValue] }

    /// The name in messages.
    var words: String {
      let noun =
        switch self {
        case .magicNumber: "magic number"
        case .protocolVersion: "version of the format"
        case .systemInfo: "system information"
        case .object: "object"
        case .storageKeys: "storage keys"
        }
      return "pickle \(rawValue + 1) of \(Self.allCases.count) (\(noun))"
    }
  }

  /// The magic number (`torch/serialization.py`, `MAGIC_NUMBER`), the least significant byte first.
  static let magicNumber: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
  /// The version of the format (`PROTOCOL_VERSION`).
  static let protocolVersion = 1001
  /// The most bytes of a pickle of the header, which goes along wherever the file goes.
  private static let headerByteCount = 64 << 10

  /// The parts that have been read so far.
  private(set) var parts: [LegacyOutline.Part] = []
  private var stream: PickleStream
  private var warnings: [String] = []

  /// A reader at the start of `source`.
  init(_ source: any ByteSource, _ unsafeGlobals: Unpickler.UnsafeGlobals) {
    stream = PickleStream(source, in: 0..<source.byteCount, unsafeGlobals)
  }

  /// The contents of a legacy file.
  ///
  /// - Throws: ``CheckpointError`` with the file in its path: `truncated` with what is missing,
  ///   `malformed` for a file that torch.load would not load, and for bytes that it would not read.
  package static func read(
    _ source: any ByteSource, droppingUnsafe dropsUnsafe: Bool = false
  ) throws(CheckpointError) -> Checkpoint {
    try CheckpointError.within(source.name) { () throws(CheckpointError) in
      var reader = LegacyReader(source, dropsUnsafe ? .drop : .refuse)
      return try reader.read(keepingSpelling: !dropsUnsafe)
    }
  }

  private mutating func read(keepingSpelling: Bool) throws(CheckpointError) -> Checkpoint {
    let (object, storages) = try readParts()
    guard stream.remaining == 0 else {
      throw CheckpointError(
        .malformed,
        "\(stream.remaining) bytes follow the last storage, and torch.load does not read them",
        at: stream.position,
        remedy: .text(
          "if several objects were saved to this file, save each to a file of its own; if something "
            + "was appended to it, cut it off at byte \(stream.position)"))
    }
    var recognizer = TensorRecognizer(graph: object.graph, storages: storages)
    try CheckpointError.within(Pickle.object.words) { () throws(CheckpointError) in
      try recognizer.recognize()
    }
    let graph = recognizer.finish()
    let version = object.version > 0 ? object.version : try versionOfHeader()
    var archive = TorchArchiveDescription(
      .legacy, prefix: "archive", pickleProtocol: version, isBigEndian: false, hasChecksums: false,
      records: try records(of: storages, version))
    // What was dropped from the object must not come back with its spelling.
    if keepingSpelling { archive.pickleBytes = try bytes(of: .object) }
    let used = Set(graph.storages.lazy.map { ExactString($0.key) })
    return Checkpoint(
      graph: graph, container: archive, byteCount: stream.end,
      unusedRegions: storages.all.filter { !used.contains(ExactString($0.key)) }.map(\.region),
      warnings: warnings + graph.discardedWarnings)
  }

  /// Reads all parts up to the last storage.
  mutating func readParts() throws(CheckpointError) -> (PickleStream.Pickle, LegacyStorages) {
    for pickle in [Pickle.magicNumber, .protocolVersion, .systemInfo] {
      try Self.check(pickle, try next(pickle).graph)
    }
    let object = try next(.object)
    let keys = try LegacyStorages.keys(in: next(.storageKeys).graph)
    var storages = try CheckpointError.within(Pickle.object.words) { () throws(CheckpointError) in
      try LegacyStorages(announced: object.graph)
    }
    try storages.setOrder(keys)
    try readStorages(&storages)
    return (object, storages)
  }

  // MARK: Pickles

  /// Reads a pickle, which comes next.
  private mutating func next(_ pickle: Pickle) throws(CheckpointError) -> PickleStream.Pickle {
    let start = stream.position
    let found: PickleStream.Pickle
    do throws(CheckpointError) {
      found = try stream.nextPickle()
    } catch {
      guard error.code == .truncated else { throw error.framed(by: pickle.words) }
      let byteCount = stream.end - start
      throw CheckpointError(
        .truncated,
        byteCount == 0
          ? "the file is truncated before this pickle"
          : "the file is truncated inside this pickle, after \(byteCount) bytes of it",
        remedy: Self.fetchAgain
      ).framed(by: pickle.words)
    }
    let isHeader = pickle.rawValue < Pickle.object.rawValue
    guard !isHeader || found.range.count <= Self.headerByteCount else {
      throw CheckpointError(
        .limitExceeded, "it has \(found.range.count) bytes, more than \(Self.headerByteCount)"
      ).framed(by: pickle.words)
    }
    parts.append(.init(name: pickle.recordName, range: found.range, isPickle: true))
    warnings += found.warnings
    return found
  }

  /// Makes sure that a pickle of the header is what torch.load insists on; it takes any description of
  /// the system.
  ///
  /// - Throws: `malformed` when it is not.
  static func check(_ pickle: Pickle, _ graph: TensorGraph) throws(CheckpointError) {
    let expected: String
    switch pickle {
    case .magicNumber where !isMagicNumber(graph.root, in: graph):
      expected = "the magic number of torch.save"
    case .protocolVersion where graph.int(graph.root) != protocolVersion:
      expected = "\(protocolVersion)"
    default: return
    }
    throw CheckpointError(
      .malformed,
      "found \(graph.description(of: graph.root, limit: 60)), expected \(expected)"
    ).framed(by: pickle.words)
  }

  /// Whether a node is the magic number.
  static func isMagicNumber(_ id: NodeID, in graph: TensorGraph) -> Bool {
    guard case .largeInt(let run) = graph[id] else { return false }
    return graph[run].elementsEqual(magicNumber)
  }

  /// The protocol of pickles that name none, which the spelling of a small number shows.
  private func versionOfHeader() throws(CheckpointError) -> Int {
    try bytes(of: .protocolVersion).first == UInt8(ascii: "M") ? 1 : 0
  }

  private func bytes(of pickle: Pickle) throws(CheckpointError) -> [UInt8] {
    try stream.source.bytes(in: parts[pickle.rawValue].range)
  }

  private static let fetchAgain: Remedy =
    "download or copy it again, or resume the download (curl -C - does)"

  // MARK: Storages

  /// Steps over the storages, which follow in their order.
  private mutating func readStorages(_ storages: inout LegacyStorages) throws(CheckpointError) {
    for (index, storage) in storages.announced.enumerated() {
      let start = stream.position
      let byteCount = try storage.byteCount()
      guard byteCount <= stream.remaining - 8 else {
        throw try truncated(storages.announced[index...])
      }
      let count = try stream.nextNumber()
      guard count == storage.elementCount else {
        throw CheckpointError(
          .malformed,
          "storage '\(storage.key)' has \(count) elements, the object says \(storage.elementCount)",
          at: start)
      }
      let range = try stream.skip(byteCount)
      parts.append(
        .init(name: storage.recordName, range: start..<range.upperBound, isPickle: false))
      storages.add(
        FileRegion(source: stream.source, range: range, name: "storage '\(storage.key)'"),
        of: storage)
    }
  }

  /// The error for a file that ends before the end of the first of these storages, the last of the file.
  private func truncated(
    _ missing: ArraySlice<PersistentStorage>
  ) throws(CheckpointError) -> CheckpointError {
    var byteCount = stream.position
    for storage in missing {
      byteCount = try byteCount.adding(
        8.addingClamped(storage.byteCount()), orThrow: "the size of the file")
    }
    let name = missing.first.map { "'\($0.key)'" } ?? "that follows"
    return CheckpointError(
      .truncated,
      "this file is truncated: it has \(stream.end) of \(byteCount) bytes, "
        + "\(byteCount - stream.end) are missing; storage \(name) "
        + "(\(missing.startIndex + 1) of \(missing.endIndex)) is the first that is not complete",
      remedy: Self.fetchAgain)
  }

  // MARK: Description

  /// The records of the file, as a skeleton keeps them.
  private func records(
    of storages: LegacyStorages, _ version: Int
  ) throws(CheckpointError) -> [TorchArchiveDescription.Record] {
    let spelledKeys = try LegacyEncoder.pickle(storages.all.map(\.key), version)
    var records: [TorchArchiveDescription.Record] = []
    for pickle in Pickle.allCases {
      guard pickle != .object else {
        records.append(.pickle(name: pickle.recordName))
        continue
      }
      let bytes = try bytes(of: pickle)
      // The keys stand in the records already; nearly all files spell them as this program does.
      let isKnown = pickle == .storageKeys && bytes == spelledKeys
      records.append(.other(name: pickle.recordName, bytes: isKnown ? [] : bytes))
    }
    for (key, region) in storages.all {
      records.append(
        .storage(
          name: TorchArchiveDescription.storagePrefix + key, byteCount: region.byteCount))
    }
    return records
  }
}

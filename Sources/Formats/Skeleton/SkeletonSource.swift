package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptJSON
internal import CkptPickle
internal import CkptTorch

/// The description of the source archive in a skeleton.
///
/// Storages with consecutive numbers are one entry, a ``StorageRun``. Their tensors have their sizes.
package struct SkeletonSource {
  /// The archive without its records.
  private var archive = TorchArchiveDescription(
    .zip, prefix: "archive", pickleProtocol: 2, isBigEndian: false, hasChecksums: true, records: [])
  private var entries: [Entry] = []

  /// An entry of the list of records.
  private enum Entry {
    case record(TorchArchiveDescription.Record)
    case run(StorageRun)
  }

  /// The protocol of the source's pickle.
  var pickleProtocol: Int { archive.pickleProtocol }
  /// Whether the storages are big-endian.
  var isBigEndian: Bool { archive.isBigEndian }

  /// Reads the value of `source`.
  ///
  /// - Throws: `malformed` for an invalid value.
  init(reading json: inout JSONReader) throws(CheckpointError) {
    try json.beginObject()
    while let key = try json.nextKey() {
      let start = json.offset
      switch key {
      case "container":
        let formats = TorchArchiveDescription.Format.allCases
        let name = try Self.choice(&json, formats.map(\.rawValue))
        archive.archiveFormat = TorchArchiveDescription.Format(rawValue: name) ?? .zip
      case "prefix": archive.prefix = try json.string()
      case "protocol":
        let version = try json.unsignedInteger()
        guard version <= 5 else {
          throw CheckpointError(.malformed, "\(version) is not a pickle protocol", at: start)
        }
        archive.pickleProtocol = Int(version)
      case "byteorder": archive.isBigEndian = try Self.choice(&json, ["little", "big"]) == "big"
      case "checksums": archive.hasChecksums = try json.bool()
      case "pickle": archive.pickleBytes = try json.base64(.standard)
      case "records":
        try json.beginArray()
        while try json.nextElement() { entries.append(try Self.entry(&json)) }
      default: try json.skipValue()
      }
    }
  }

  /// The storages with a record of their own.
  var storages: [(name: String, byteCount: Int)] {
    entries.compactMap { entry in
      guard case .record(.storage(let name, let byteCount)) = entry else { return nil }
      return (name, byteCount)
    }
  }

  /// The runs of storages.
  var runs: [StorageRun] {
    entries.compactMap { entry in
      guard case .run(let run) = entry else { return nil }
      return run
    }
  }

  /// Returns the archive; `sizes` has the sizes of the storages in runs, by their numbers.
  ///
  /// - Throws: `malformed` for a run with a storage that no tensor refers to.
  consuming func archive(sizes: [Int?]) throws(CheckpointError) -> TorchArchiveDescription {
    for entry in entries {
      switch entry {
      case .record(let record): archive.records.append(record)
      case .run(let run):
        for number in run.numbers {
          guard let byteCount = sizes[number] else {
            throw CheckpointError(
              .malformed, "no tensor refers to storage '\(number)' of a run")
          }
          archive.records.append(
            .storage(
              name: TorchArchiveDescription.storagePrefix + String(number), byteCount: byteCount))
        }
      }
    }
    return archive
  }

  private static func entry(_ json: inout JSONReader) throws(CheckpointError) -> Entry {
    try json.beginArray()
    guard try json.nextElement() else {
      throw CheckpointError(.malformed, "a record has no name", at: json.offset)
    }
    guard try json.peek() == UInt8(ascii: "\"") else { return .run(try StorageRun(reading: &json)) }
    return .record(try record(named: json.string(), &json))
  }

  private static func record(
    named name: String, _ json: inout JSONReader
  ) throws(CheckpointError) -> TorchArchiveDescription.Record {
    guard try json.nextElement() else { return .pickle(name: name) }
    let record: TorchArchiveDescription.Record
    if try json.peek() == UInt8(ascii: "\"") {
      let bytes = try json.base64(.standard)
      guard try json.nextElement() else { return .other(name: name, bytes: bytes) }
      record = .compressed(name: name, bytes: bytes, byteCount: try json.count())
    } else {
      record = .storage(name: name, byteCount: try json.count())
    }
    guard try !json.nextElement() else {
      throw CheckpointError(
        .malformed, "record '\(name)' has too many parts", at: json.offset)
    }
    return record
  }

  private static func choice(
    _ json: inout JSONReader, _ choices: [String]
  ) throws(CheckpointError) -> String {
    let start = json.offset
    let word = try json.string()
    guard choices.contains(word) else {
      throw CheckpointError(
        .malformed, "found '\(word)', expected \(choices.joined(separator: " or "))", at: start)
    }
    return word
  }
}

extension SkeletonSource {
  /// Removes the storages with these keys from the description of a container.
  package static func removeStorages(
    _ keys: Set<ExactString>, from container: inout (any ContainerDescription)?
  ) {
    guard var archive = container as? TorchArchiveDescription else { return }
    let names = Set(
      keys.map { ExactString(TorchArchiveDescription.storagePrefix + $0.text) })
    archive.records.removeAll { record in
      guard case .storage(let name, _) = record else { return false }
      return names.contains(ExactString(name))
    }
    container = archive
  }
}

extension SkeletonWriter {
  /// Writes the description of the archive that an object comes from.
  mutating func write(_ container: (any ContainerDescription)?) {
    guard let archive = container as? TorchArchiveDescription else { return }
    json.key("source")
    json.beginObject()
    json.member("container", archive.archiveFormat.rawValue)
    let isZip = archive.archiveFormat.isZip
    if isZip { json.member("prefix", archive.prefix) }
    json.member("protocol", archive.pickleProtocol)
    if isZip { json.member("byteorder", archive.isBigEndian ? "big" : "little") }
    json.key("records")
    json.beginArray()
    let sizes = SkeletonStorages.sizes(
      of: graph, limit: graph.tensors.count { table.isReached($0.node) },
      isReached: { table.isReached($0) })
    var next = 0
    while next < archive.records.count {
      if let run = StorageRun(in: archive.records[next...], sizes: sizes) {
        run.write(to: &json)
        next += run.count
      } else {
        write(archive.records[next])
        next += 1
      }
    }
    json.endArray()
    if isZip, !archive.hasChecksums { json.member("checksums", false) }
    if let pickle = archive.pickleBytes, !isRespelled(pickle, archive.pickleProtocol) {
      json.member("pickle", Base64.encode(pickle, .standard))
    }
    json.endObject()
  }

  private mutating func write(_ record: TorchArchiveDescription.Record) {
    json.beginArray()
    json.string(record.name)
    switch record {
    case .pickle: break
    case .storage(_, let byteCount): json.integer(byteCount)
    case .other(_, let bytes): json.string(Base64.encode(bytes, .standard))
    case .compressed(_, let bytes, let byteCount):
      json.string(Base64.encode(bytes, .standard))
      json.integer(byteCount)
    }
    json.endArray()
  }

  /// Whether our pickler writes exactly `pickle` for the graph.
  private func isRespelled(_ pickle: [UInt8], _ version: Int) -> Bool {
    // If that protocol cannot hold the object, another pickler wrote the bytes.
    let own = try? Pickler.pickle(graph.root, of: graph, protocol: max(version, 2))
    return own == pickle
  }
}

package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptJSON
internal import CkptPickle
internal import CkptTorch

/// Reads the description of the source archive in a skeleton.
package enum SkeletonSource {
  /// Reads the value of `source`.
  ///
  /// - Throws: `malformed` for an invalid value.
  static func read(_ json: inout JSONReader) throws(CheckpointError) -> TorchArchiveDescription {
    var archive = TorchArchiveDescription(
      isTorchScript: false, prefix: "archive", pickleProtocol: 2, isBigEndian: false,
      hasChecksums: true, records: [])
    try json.beginObject()
    while let key = try json.nextKey() {
      let start = json.offset
      switch key {
      case "container":
        archive.isTorchScript = try choice(&json, ["torch-zip", "torchscript"]) == "torchscript"
      case "prefix": archive.prefix = try json.string()
      case "protocol":
        let version = try json.unsignedInteger()
        guard version <= 5 else {
          throw CheckpointError(.malformed, "\(version) is not a pickle protocol", at: start)
        }
        archive.pickleProtocol = Int(version)
      case "byteorder": archive.isBigEndian = try choice(&json, ["little", "big"]) == "big"
      case "checksums": archive.hasChecksums = try json.bool()
      case "pickle": archive.pickleBytes = try json.base64(.standard)
      case "records":
        try json.beginArray()
        while try json.nextElement() { archive.records.append(try record(&json)) }
      default: try json.skipValue()
      }
    }
    return archive
  }

  private static func record(
    _ json: inout JSONReader
  ) throws(CheckpointError) -> TorchArchiveDescription.Record {
    try json.beginArray()
    guard try json.nextElement() else {
      throw CheckpointError(.malformed, "a record has no name", at: json.offset)
    }
    let name = try json.string()
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
    json.member("container", archive.isTorchScript ? "torchscript" : "torch-zip")
    json.member("prefix", archive.prefix)
    json.member("protocol", archive.pickleProtocol)
    json.member("byteorder", archive.isBigEndian ? "big" : "little")
    json.key("records")
    json.beginArray()
    for record in archive.records {
      json.beginArray()
      switch record {
      case .pickle(let name): json.string(name)
      case .storage(let name, let byteCount):
        json.string(name)
        json.integer(byteCount)
      case .other(let name, let bytes):
        json.string(name)
        json.string(Base64.encode(bytes, .standard))
      case .compressed(let name, let bytes, let byteCount):
        json.string(name)
        json.string(Base64.encode(bytes, .standard))
        json.integer(byteCount)
      }
      json.endArray()
    }
    json.endArray()
    if !archive.hasChecksums { json.member("checksums", false) }
    if let pickle = archive.pickleBytes, !isRespelled(pickle, archive.pickleProtocol) {
      json.member("pickle", Base64.encode(pickle, .standard))
    }
    json.endObject()
  }

  /// Whether our pickler writes exactly `pickle` for the graph.
  private func isRespelled(_ pickle: [UInt8], _ version: Int) -> Bool {
    // If that protocol cannot hold the object, another pickler wrote the bytes.
    let own = try? Pickler.pickle(graph.root, of: graph, protocol: max(version, 2))
    return own == pickle
  }
}

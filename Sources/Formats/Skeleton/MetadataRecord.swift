package import CkptBase
package import CkptContainer
internal import CkptJSON
package import CkptTorch

/// The record of a `.pt` archive that stores the `__metadata__` of a safetensors file.
///
/// torch.load ignores records that the pickle does not name. The record is a JSON object:
/// `safetensors` is its version, 1, and `metadata` is an object with the entries in their order.
package enum MetadataRecord: Sendable {
  /// The name of the record, without the archive's prefix.
  package static let name = "ckptconv.json"
  private static let version = 1

  /// Returns the record for a file; none for a file without metadata of its own.
  package static func records(
    for container: (any ContainerDescription)?
  ) -> [TorchArchiveDescription.Record] {
    guard let file = container, file.origin == nil else { return [] }
    let metadata = file.metadata.filter { $0.key != SkeletonWriter.metadataKey }
    let isEmpty = file.hasMetadata && file.metadata.isEmpty
    guard isEmpty || !metadata.isEmpty else { return [] }
    var json = JSONWriter()
    json.beginObject()
    json.member("safetensors", version)
    json.key("metadata")
    json.beginObject()
    for (key, value) in metadata { json.member(key, value) }
    json.endObject()
    json.endObject()
    return [.other(name: name, bytes: json.bytes)]
  }

  /// Returns the entries in the record of an archive, or `nil` for an archive without one.
  ///
  /// - Throws: `malformed` for an invalid record, `unsupported` for a later version.
  package static func metadata(
    of container: (any ContainerDescription)?
  ) throws(CheckpointError) -> [(key: String, value: String)]? {
    guard let archive = container as? TorchArchiveDescription else { return nil }
    for case .other(name, let bytes) in archive.records {
      return try CheckpointError.within(name) { () throws(CheckpointError) in
        try metadata(in: bytes)
      }
    }
    return nil
  }

  private static func metadata(
    in bytes: [UInt8]
  ) throws(CheckpointError) -> [(key: String, value: String)] {
    var json = JSONReader(bytes.span, base: 0)
    var metadata: [(key: String, value: String)] = []
    var keys: Set<ExactString> = []
    try json.beginObject()
    while let member = try json.nextKey() {
      switch member {
      case "safetensors":
        let found = try json.unsignedInteger()
        guard found == UInt64(version) else {
          throw CheckpointError(
            .unsupported, "the record has version \(found); the only known one is \(version)")
        }
      case "metadata":
        try json.beginObject()
        while let key = try json.nextKey() {
          guard keys.insert(ExactString(key)).inserted else {
            throw CheckpointError(.malformed, "metadata key '\(key)' is repeated", at: json.offset)
          }
          metadata.append((key, try json.string()))
        }
      default: try json.skipValue()
      }
    }
    try json.end()
    return metadata
  }
}

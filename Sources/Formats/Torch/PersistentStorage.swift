internal import Bytes
package import Graph

/// What a pickle says of a storage: `('storage', class, key, location, numel)`
/// (`torch/serialization.py`, `persistent_id`).
package struct PersistentStorage: Sendable {
  /// The name of the storage in the archive.
  package let key: String
  /// The dtype of its class, `nil` for an untyped one.
  package let dtype: DType?
  /// The device it was on.
  package let location: String
  /// Its length in elements of its class; in bytes for an untyped one.
  package let elementCount: Int

  /// The name of its record in the archive, without the prefix.
  package var recordName: String { TorchArchiveDescription.storagePrefix + key }

  /// The size in bytes.
  ///
  /// - Throws: `malformed` when no number is that large.
  func byteCount() throws(FormatError) -> Int {
    try elementCount.multiplied(by: dtype?.byteCount ?? 1, orThrow: "the size of storage '\(key)'")
  }

  init(graph: TensorGraph, id: NodeID) throws(FormatError) {
    guard let parts = graph.tuple(id).map({ Array($0.prefix(5)) }), parts.count == 5,
      Self.text(parts[0], in: graph) == "storage"
    else {
      throw FormatError(
        .malformed, "a persistent id is not a storage: \(graph.description(of: id, limit: 80))")
    }
    guard case .global(_, let name) = graph[parts[1]], let className = graph.name(name),
      let dtype = StorageClass.dtype(named: className)
    else {
      throw FormatError(
        .unsupported,
        "'\(graph.description(of: parts[1], limit: 80))' is not a storage class that is known")
    }
    guard case .string = graph[parts[2]] else {
      throw FormatError(.malformed, "the key of a storage is not a str")
    }
    guard let key = graph.name(parts[2]) else {
      throw FormatError(
        .limitExceeded, "the key of a storage has more than \(Limits.nameBytes) bytes")
    }
    guard let location = Self.text(parts[3], in: graph) else {
      throw FormatError(
        .malformed,
        "the device of storage '\(key)' is no str of up to \(Limits.nameBytes) bytes")
    }
    guard let elementCount = graph.int(parts[4]), elementCount >= 0 else {
      throw FormatError(.malformed, "storage '\(key)' has no length, or a negative one")
    }
    self.key = key
    self.dtype = dtype
    self.location = location
    self.elementCount = elementCount
  }

  /// A str, or bytes of ASCII, which torch takes for one here (`_maybe_decode_ascii`).
  private static func text(_ id: NodeID, in graph: TensorGraph) -> String? {
    guard case .bytes(let run) = graph[id] else { return graph.name(id) }
    guard run.count <= Limits.nameBytes, graph[run].allSatisfy({ $0 < 0x80 }) else { return nil }
    return String(decoding: graph[run], as: UTF8.self)
  }
}

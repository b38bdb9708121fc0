internal import Graph
internal import JSON
internal import Pickle

extension SkeletonWriter {
  /// Writes what the archive was, for an object that comes from one.
  mutating func write(_ source: SourceDescription) {
    guard case .torch(let archive) = source.container else { return }
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

  /// Whether our own pickler writes exactly `pickle` for the graph.
  private func isRespelled(_ pickle: [UInt8], _ version: Int) -> Bool {
    // What cannot be pickled by that protocol has been spelled by another pickler.
    let own = try? Pickler.pickle(graph.root, of: graph, protocol: max(version, 2))
    return own == pickle
  }
}

internal import Formats
internal import JSON

extension Inspection {
  /// The whole as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    write(source, to: &json)
    json.key("totals")
    json.beginObject()
    json.member("tensors", tensors.count)
    json.member("tensor_bytes", tensors.reduce(0) { $0.addingClamped($1.byteCount) })
    json.member("elements", tensors.reduce(0) { $0.addingClamped($1.shape.reduce(1, *)) })
    json.member("storages", storageCount)
    json.member("storage_bytes", storageByteCount)
    json.endObject()
    json.key("tensors")
    json.beginArray()
    for tensor in tensors { write(tensor, to: &json) }
    json.endArray()
    json.key("values")
    json.beginArray()
    for value in values {
      json.beginObject()
      json.member("name", value.name)
      json.member("value", value.text)
      json.endObject()
    }
    json.endArray()
    json.member("opaque_globals", opaqueGlobals)
    json.member("warnings", warnings)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func write(_ source: SourceDescription, to json: inout JSONWriter) {
    json.member("bytes", source.byteCount)
    json.key("container")
    json.beginObject()
    switch source.container {
    case .torch(let archive):
      json.member("kind", archive.isTorchScript ? "torchscript" : "torch-zip")
      json.member("writer", archive.writer)
      json.member("prefix", archive.prefix)
      json.member("protocol", archive.pickleProtocol)
      json.member("alignment", archive.alignment)
      json.member("byteorder", archive.isBigEndian ? "big" : "little")
      json.member("checksums", archive.hasChecksums)
      json.member("records", archive.records.count)
    case .safetensors(let file):
      json.member("kind", "safetensors")
      json.member("layout", file.layout)
      json.member("header_bytes", file.headerByteCount)
      json.member("metadata", file.metadata.map(\.key))
    case .shards(let files):
      json.member("kind", "shards")
      json.member("metadata", files.metadata.map(\.key))
      json.key("total_size")
      if let size = files.announcedByteCount { json.integer(size) } else { json.null() }
      json.key("shards")
      json.beginArray()
      for shard in files.shards {
        json.beginObject()
        json.member("name", shard.name)
        json.member("bytes", shard.byteCount)
        json.member("entries", shard.entryCount)
        json.endObject()
      }
      json.endArray()
    }
    json.endObject()
  }

  private func write(_ tensor: TensorRow, to json: inout JSONWriter) {
    json.beginObject()
    json.member("name", tensor.name)
    json.member("dtype", tensor.dtype)
    json.member("shape", tensor.shape)
    json.member("bytes", tensor.byteCount)
    if let strides = tensor.strides { json.member("strides", strides) }
    json.member("storage", tensor.storage)
    json.member("storage_bytes", tensor.storageByteCount)
    json.member("storage_uses", tensor.storageUses)
    json.member("requires_grad", tensor.requiresGradient)
    json.endObject()
  }
}

internal import Converter
internal import Formats

/// What `ckptconv inspect` prints of one file.
struct InspectionListing {
  let heading: String
  let tensors: [Inspection.TensorRow]
  let values: [Inspection.ValueRow]
  /// Classes that are carried along without being understood.
  let opaqueGlobals: [String]
  let order: TensorOrder
  /// How many tensors, and how many values, are listed.
  let limit: Int

  /// The listing, no wider than `width` columns where that is given.
  func text(width: Int?) -> String {
    var blocks = ["\(heading.harmless)\n"]
    if !tensors.isEmpty { blocks.append(tensorTable.text(width: width)) }
    if !values.isEmpty { blocks.append(valueTable.text(width: width)) }
    blocks.append(totals)
    return blocks.joined(separator: "\n")
  }

  private var tensorTable: Table {
    let rows = ordered.prefix(limit).map { tensor in
      let shape = tensor.shape.map(String.init).joined(separator: ", ")
      return [
        tensor.name, tensor.dtype, "[\(shape)]", ByteCount(bytes: tensor.byteCount).description,
        storageNote(tensor),
      ]
    }
    return Table(
      [.text("tensor"), .text("dtype"), .text("shape"), .number("size"), .text("")], rows: rows)
  }

  /// What is unusual about a tensor's place: shared, a part of something larger, not packed.
  private func storageNote(_ tensor: Inspection.TensorRow) -> String {
    guard let storage = tensor.storage else { return "no data (meta device)" }
    var notes: [String] = []
    if tensor.storageUses > 1 {
      notes.append("storage \(storage) shared by \(tensor.storageUses)")
    } else if tensor.storageByteCount > tensor.byteCount {
      notes.append("of a storage of \(ByteCount(bytes: tensor.storageByteCount))")
    }
    if let strides = tensor.strides { notes.append("strides \(strides)") }
    return notes.joined(separator: ", ")
  }

  private var valueTable: Table {
    Table([.text("value"), .text("")], rows: values.prefix(limit).map { [$0.name, $0.text] })
  }

  private var ordered: [Inspection.TensorRow] {
    switch order {
    case .file: tensors
    case .name: tensors.sorted { $0.name < $1.name }
    case .size: tensors.sorted { ($1.byteCount, $0.name) < ($0.byteCount, $1.name) }
    }
  }

  private var totals: String {
    let bytes = ByteCount(bytes: tensors.reduce(0) { $0.addingClamped($1.byteCount) })
    let hidden = max(0, tensors.count - limit) + max(0, values.count - limit)
    let rest = hidden > 0 ? "; \(hidden) not listed" : ""
    let names = opaqueGlobals.joined(separator: ", ").harmless
    let opaque = names.isEmpty ? "" : "unknown classes: \(names)\n"
    return "\(opaque)\(tensors.count.counting("tensor")), \(bytes); "
      + "\(values.count.counting("value"))\(rest)\n"
  }
}

extension InspectionListing {
  /// A listing of a whole file; no `limit` means everything.
  init(_ inspection: Inspection, order: TensorOrder, limit: Int?) {
    self.init(
      heading: inspection.path + ": " + Self.facts(inspection.source).joined(separator: ", "),
      tensors: inspection.tensors, values: inspection.values,
      opaqueGlobals: inspection.opaqueGlobals, order: order, limit: limit ?? .max)
  }

  private static func facts(_ source: SourceDescription) -> [String] {
    let size = ByteCount(bytes: source.byteCount).description
    switch source.container {
    case .torch(let archive):
      let kind = archive.isTorchScript ? "TorchScript archive" : "archive of torch.save"
      return [
        "\(kind) (\(archive.writer))", size, "prefix '\(archive.prefix)'",
        "pickle protocol \(archive.pickleProtocol)", "alignment \(archive.alignment)",
        archive.isBigEndian ? "big-endian" : "little-endian",
        archive.hasChecksums ? "CRC-32 present" : "no checksums",
      ]
    case .safetensors(let file):
      let keys = file.metadata.map(\.key)
      return [
        "safetensors", size, "layout \(file.layout)", "header of \(file.headerByteCount) bytes",
        keys.isEmpty ? "no metadata" : "metadata: \(keys.joined(separator: " "))",
      ]
    case .shards(let files):
      let keys = files.metadata.map(\.key)
      return [
        "index of \(files.shards.count.counting("shard"))", size,
        keys.isEmpty ? "no metadata" : "metadata: \(keys.joined(separator: " "))",
      ]
    }
  }
}

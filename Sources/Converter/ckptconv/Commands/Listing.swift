internal import Converter
internal import Formats

/// What `ckptconv inspect` prints of one file.
struct Listing {
  let heading: String
  let tensors: [Inspection.TensorRow]
  let values: [Inspection.ValueRow]
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
      ]
    }
    return Table([.text("tensor"), .text("dtype"), .text("shape"), .number("size")], rows: rows)
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
    let bytes = ByteCount(bytes: tensors.reduce(0) { $0 + $1.byteCount })
    let hidden = max(0, tensors.count - limit) + max(0, values.count - limit)
    let rest = hidden > 0 ? "; \(hidden) not listed" : ""
    return "\(tensors.count) tensors, \(bytes); \(values.count) values\(rest)\n"
  }
}

extension Listing {
  /// A listing of a whole file; no `limit` means everything.
  init(_ inspection: Inspection, order: TensorOrder, limit: Int?) {
    let source = inspection.source
    self.init(
      heading: "\(inspection.path): \(source.container.rawValue), "
        + "\(ByteCount(bytes: source.byteCount)), pickle protocol \(source.pickleProtocol), "
        + "written by \(source.writer)",
      tensors: inspection.tensors, values: inspection.values, order: order, limit: limit ?? .max)
  }
}

internal import Converter

/// What `ckptconv inspect` prints of one file.
struct Listing {
  private let inspection: Inspection
  private let order: TensorOrder
  private let limit: Int

  /// A listing of at most `limit` tensors and as many values; `nil` means all of them.
  init(_ inspection: Inspection, order: TensorOrder, limit: Int?) {
    self.inspection = inspection
    self.order = order
    self.limit = limit ?? .max
  }

  /// The listing, no wider than `width` columns where that is given.
  func text(width: Int?) -> String {
    let values = inspection.values.prefix(limit)
    var blocks = ["\(inspection.path.harmless): \(inspection.kind)\n"]
    if !inspection.tensors.isEmpty { blocks.append(tensors.text(width: width)) }
    if !values.isEmpty {
      let rows = values.map { [$0.path, $0.text] }
      blocks.append(Table([.text("value"), .text("")], rows: rows).text(width: width))
    }
    blocks.append(totals)
    return blocks.joined(separator: "\n")
  }

  private var tensors: Table {
    let rows = ordered.prefix(limit).map { tensor in
      [
        tensor.name, tensor.dtype, shape(tensor.shape),
        ByteCount(bytes: tensor.byteCount).description,
      ]
    }
    return Table([.text("tensor"), .text("dtype"), .text("shape"), .number("size")], rows: rows)
  }

  private var ordered: [Inspection.Tensor] {
    switch order {
    case .file: inspection.tensors
    case .name: inspection.tensors.sorted { $0.name < $1.name }
    case .size:
      inspection.tensors.sorted { ($1.byteCount, $0.name) < ($0.byteCount, $1.name) }
    }
  }

  private func shape(_ dimensions: [Int]) -> String {
    "[\(dimensions.map(String.init).joined(separator: ", "))]"
  }

  private var totals: String {
    let bytes = inspection.tensors.reduce(0) { $0 + $1.byteCount }
    let hidden =
      max(0, inspection.tensors.count - limit) + max(0, inspection.values.count - limit)
    let rest = hidden > 0 ? "; \(hidden) not listed" : ""
    return "\(inspection.tensors.count) tensors, \(ByteCount(bytes: bytes)); "
      + "\(inspection.values.count) values\(rest)\n"
  }
}

internal import CkptBase
internal import CkptCheckpoints
internal import CkptFormats
internal import CkptInspect

/// The lists of `ckptconv inspect` for one file.
struct InspectionListing {
  /// A row of the list of tensors: a tensor, or several with names that differ in numbers.
  private typealias TensorGroup = FoldedRows<Inspection.TensorRow>.Group

  /// The number of rows that fit a terminal; longer lists are folded there.
  private static let foldedCount = 24

  private let inspection: Inspection
  private let view: InspectionView
  private let width: Int?
  private let tensors: [Inspection.TensorRow]
  private let values: [Inspection.ValueRow]
  /// The number of attributes of modules, which are not listed.
  private let attributeCount: Int

  /// Creates the listing of a file, at most `width` columns wide if given.
  init(_ inspection: Inspection, _ view: InspectionView, width: Int?) {
    self.inspection = inspection
    self.view = view
    self.width = width
    tensors = view.onlyValues ? [] : inspection.tensors.filter { view.names.selects($0.name) }
    let named = view.onlyTensors ? [] : inspection.values.filter { view.names.selects($0.name) }
    values = view.onlyValues ? named : named.filter { !$0.isModuleAttribute }
    attributeCount = named.count - values.count
  }

  /// Returns the heading: `path` and the facts about the container, with the file size after the
  /// first.
  func heading(of path: String) -> String {
    let size = ByteCount(bytes: inspection.byteCount).description
    let facts = inspection.container.map { [$0.title, size] + $0.facts.compactMap(\.words) }
    return "\(path): \((facts ?? [size]).joined(separator: ", "))".harmless
  }

  /// The tables and the totals.
  var text: String {
    var blocks: [String] = [""]
    if view.listsModules {
      if !tensors.isEmpty { blocks.append(moduleTable) }
    } else if !tensors.isEmpty {
      blocks.append(tensorTable)
    }
    if !values.isEmpty || attributeCount > 0 { blocks.append(valueTable) }
    blocks.append(totals)
    return blocks.joined(separator: "\n")
  }

  private func text(_ table: Table) -> String {
    table.text(width: width, fullNames: view.keepsNames)
  }

  // MARK: Tensors

  private var isFolded: Bool {
    width != nil && !view.onlyTensors && tensors.count > Self.foldedCount
  }

  private var tensorGroups: [TensorGroup] {
    let rows = tensors
    let groups: [TensorGroup] =
      isFolded
      ? FoldedRows(rows, name: \.name, kind: \.dtype).groups
      : rows.map { TensorGroup(name: $0.name, rows: [$0]) }
    switch view.order ?? .file {
    case .file: return groups
    case .name: return groups.sorted { $0.name < $1.name }
    case .size: return groups.sorted { ($1.byteCount, $0.name) < ($0.byteCount, $1.name) }
    }
  }

  private var tensorTable: String {
    let isFolded = isFolded
    // Adjacent tensors often have the same shape and size.
    var shape = (value: [Int](), text: "[]")
    var size = (value: 0, text: ByteCount(bytes: 0).description)
    let rows = tensorGroups.prefix(view.limit ?? .max).map { group in
      let first = group.rows[0]
      if first.shape != shape.value { shape = (first.shape, first.shape.description) }
      if group.byteCount != size.value {
        size = (group.byteCount, ByteCount(bytes: group.byteCount).description)
      }
      let shapes = isFolded ? Set(group.rows.map(\.shape)).count : 1
      return [group.name, first.dtype, shapes == 1 ? shape.text : "\(shapes) shapes"]
        + (isFolded ? [group.rows.count > 1 ? "\(group.rows.count)" : ""] : [])
        + [size.text, group.rows.count == 1 ? storageNote(first) : ""]
    }
    let count: [Table.Column] = isFolded ? [.number("count")] : []
    return text(
      Table(
        [.name("tensor"), .text("dtype"), .text("shape")] + count
          + [.number("size"), .detail("")], rows: rows))
  }

  /// The unusual facts about a tensor's storage: shared, larger than the tensor, or not packed.
  private func storageNote(_ tensor: Inspection.TensorRow) -> String {
    guard let storage = tensor.storage else { return "no data (meta device)" }
    guard
      tensor.storageUses > 1 || tensor.storageByteCount > tensor.byteCount || tensor.strides != nil
    else { return "" }
    var notes: [String] = []
    if tensor.storageUses > 1 {
      notes.append("storage \(storage) shared by \(tensor.storageUses)")
    } else if tensor.storageByteCount > tensor.byteCount {
      notes.append("of a storage of \(ByteCount(bytes: tensor.storageByteCount))")
    }
    if let strides = tensor.strides { notes.append("strides \(strides)") }
    return notes.joined(separator: ", ")
  }

  private var moduleTable: String {
    let modules = ModuleTree(of: tensors, depth: view.depth).all
    let rows = modules.prefix(view.limit ?? .max).map { module in
      [
        String(repeating: "  ", count: module.depth) + module.name, "\(module.tensorCount)",
        ElementCount(module.elementCount).description,
        ByteCount(bytes: module.byteCount).description,
      ]
    }
    return text(
      Table(
        [.name("module"), .number("tensors"), .number(elementNoun), .number("size")],
        rows: rows))
  }

  // MARK: Values

  private var valueTable: String {
    let isFolded = width != nil && !view.onlyValues && values.count > Self.foldedCount
    let rows: [[String]] =
      isFolded
      ? FoldedRows(values, name: \.name, kind: \.text).groups.map { [$0.name, $0.rows[0].text] }
      : values.map { [$0.name, $0.text] }
    let attributes =
      attributeCount > 0
      ? [["attributes of modules", "\(attributeCount) (--values lists them)"]] : []
    return text(
      Table(
        [.name("value"), .value("")], rows: Array(rows.prefix(view.limit ?? .max)) + attributes))
  }

  // MARK: Totals

  private var elementNoun: String {
    inspection.facts.kind == .model ? "parameters" : "elements"
  }

  /// Returns a number of elements with its noun.
  private func text(elements: Int) -> String {
    elements == 1 ? "1 \(elementNoun.dropLast())" : "\(ElementCount(elements)) \(elementNoun)"
  }

  private var totals: String {
    let limit = view.limit ?? .max
    let hidden = max(0, tensors.count - limit) + max(0, values.count - limit)
    let isWhole = tensors.count == inspection.tensors.count || view.onlyValues
    let bytes = ByteCount(bytes: tensors.reduce(0) { $0.addingClamped($1.byteCount) })
    let elements = text(elements: tensors.reduce(0) { $0.addingClamped($1.elementCount) })
    var parts: [String] = []
    if !view.onlyValues {
      parts.append("\(tensors.count.pluralized("tensor")), \(elements), \(bytes)")
    }
    if !view.onlyTensors { parts.append((values.count + attributeCount).pluralized("value")) }
    if isFolded, !view.listsModules { parts.append("--tensors lists each tensor") }
    if hidden > 0, !view.listsModules { parts.append("\(hidden) not listed") }
    var lines: [String] = []
    let names = inspection.opaqueGlobals.joined(separator: ", ").harmless
    if !names.isEmpty, !view.onlyTensors { lines.append("unknown classes: \(names)") }
    let dtypes = inspection.dtypes
    if dtypes.count > 1, isWhole, !view.onlyValues {
      lines.append(
        dtypes.map {
          "\($0.dtype): \($0.tensorCount.pluralized("tensor")), "
            + "\(text(elements: $0.elementCount)), \(ByteCount(bytes: $0.byteCount))"
        }.joined(separator: "; "))
    }
    lines.append(parts.joined(separator: "; "))
    return lines.map { "\($0)\n" }.joined()
  }
}

extension FoldedRows<Inspection.TensorRow>.Group {
  /// The size of all its tensors in bytes.
  fileprivate var byteCount: Int { rows.reduce(0) { $0.addingClamped($1.byteCount) } }
}

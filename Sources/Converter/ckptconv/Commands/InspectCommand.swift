internal import CkptBase
internal import CkptCheckpoints
internal import CkptConvert
internal import CkptFormats
internal import CkptInspect

/// `ckptconv inspect`.
struct InspectCommand: Command {
  static let name = "inspect"
  static let summary = "list the tensors and values of a checkpoint"
  static let manual = """
    Lists the tensors of each INPUT with type, shape and size, its other values, and the facts about
    its container. Tensor data is not read, so the size of the file does not matter. A sharded
    checkpoint is listed as one: pass its index, such as `model.safetensors.index.json`, or its
    directory.
    """
  static let examples = [
    Example(line: "ckptconv inspect model.pt", purpose: "List the contents of a file:"),
    Example(
      line: "ckptconv inspect --sort size --limit 5 optim.pt", purpose: "Find the largest tensors:"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<InspectCommand>] = [
    .choice(
      "sort", "ORDER", \.sort, in: .listing, "order tensors by file, name or size",
      manual: "The order of the tensors. The default is `file`."),
    .number(
      "limit", "N", \.limit, atLeast: 1, in: .listing, "list at most N tensors and N values",
      manual: "The maximum number of tensors, and of values, to list. The default is all."),
    .toggle(
      "drop-unsafe", \.reading.dropsUnsafe, in: .safety, "show None for objects that can run code",
      manual: """
        Without this flag a pickle with an object that can run code is refused. With it, None is
        shown for the object, and a warning names it. Nothing is run in either case. See
        `ckptconv help safety`.
        """),
  ]

  private var sort: TensorOrder?
  private var limit: Int?
  private var reading = ReadingOptions()

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    var exitCode = ExitCode.done
    var isFirst = true
    for operand in operands {
      do throws(CheckpointError) {
        for path in try Inspection.files(of: operand) {
          // Nobody reads the listing, so nothing needs to be found out for it.
          guard !console.hasLostReader else { return exitCode }
          try show(path, isFirst: isFirst, shared, console)
          isFirst = false
        }
      } catch {
        console.report(error)
        exitCode.merge(ExitCode(error))
      }
    }
    return exitCode
  }

  private func show(
    _ path: String, isFirst: Bool, _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) {
    let inspection = try Inspection(of: path, reading)
    for warning in inspection.warnings { console.warn("\(path): \(warning)") }
    if shared.json { return try console.printJSON(inspection.json) }
    let listing = InspectionListing(inspection, order: sort ?? .file, limit: limit)
    try console.print((isFirst ? "" : "\n") + listing.text(width: console.columns))
  }
}

/// An order of the tensors.
enum TensorOrder: String, FlagChoice {
  case file, name, size

  var meaning: String {
    switch self {
    case .file: "in file order"
    case .name: "by name"
    case .size: "the largest first"
    }
  }
}

/// The output of `ckptconv inspect` for one file.
struct InspectionListing {
  let heading: String
  let tensors: [Inspection.TensorRow]
  let values: [Inspection.ValueRow]
  /// Classes that are kept without being understood.
  let opaqueGlobals: [String]
  let order: TensorOrder
  /// The maximum number of tensors, and of values.
  let limit: Int

  /// Returns the listing, at most `width` columns wide if given.
  func text(width: Int?) -> String {
    var blocks = ["\(heading.harmless)\n"]
    if !tensors.isEmpty { blocks.append(tensorTable.text(width: width)) }
    if !values.isEmpty { blocks.append(valueTable.text(width: width)) }
    blocks.append(totals)
    return blocks.joined(separator: "\n")
  }

  private var tensorTable: Table {
    // Adjacent tensors often have the same shape and size.
    var shape = (value: [Int](), text: "[]")
    var size = (value: 0, text: ByteCount(bytes: 0).description)
    let rows = ordered.prefix(limit).map { tensor in
      if tensor.shape != shape.value { shape = (tensor.shape, tensor.shape.description) }
      if tensor.byteCount != size.value {
        size = (tensor.byteCount, ByteCount(bytes: tensor.byteCount).description)
      }
      return [tensor.name, tensor.dtype, shape.text, size.text, storageNote(tensor)]
    }
    return Table(
      [.text("tensor"), .text("dtype"), .text("shape"), .number("size"), .text("")], rows: rows)
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
    return "\(opaque)\(tensors.count.pluralized("tensor")), \(bytes); "
      + "\(values.count.pluralized("value"))\(rest)\n"
  }
}

extension InspectionListing {
  /// Creates the listing of a whole file; without `limit` it is complete.
  init(_ inspection: Inspection, order: TensorOrder, limit: Int?) {
    self.init(
      heading: inspection.path + ": " + Self.facts(inspection).joined(separator: ", "),
      tensors: inspection.tensors, values: inspection.values,
      opaqueGlobals: inspection.opaqueGlobals, order: order, limit: limit ?? .max)
  }

  /// The facts about the container, with the file size after the first.
  private static func facts(_ inspection: Inspection) -> [String] {
    let size = ByteCount(bytes: inspection.byteCount).description
    guard let container = inspection.container else { return [size] }
    return [container.title, size] + container.facts.compactMap(\.words)
  }
}

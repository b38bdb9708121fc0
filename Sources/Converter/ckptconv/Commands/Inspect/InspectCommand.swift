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
    Tells what each INPUT is: the model and its size, the training step, the optimizer and the
    files. Then it lists the tensors with type, shape and size, and all other values. Tensor data is
    not read, so the size of the file does not matter. A sharded checkpoint is listed as one: pass
    its index, such as `model.safetensors.index.json`, or its directory.

    On a terminal, tensors whose names differ only in numbers, such as those of the layers of a
    model, are one row if there are many. In a pipe every tensor has a row.
    """
  static let examples = [
    Example(line: "ckptconv inspect step1000-unsharded", purpose: "See what a checkpoint is:"),
    Example(
      line: "ckptconv inspect --sort size --limit 5 optim.pt", purpose: "Find the largest tensors:"),
    Example(
      line: "ckptconv inspect --value param_groups.0.lr optim.pt", purpose: "Print one value:"),
  ]
  static let operands = Operands.inputs
  static let flags: [BoundFlag<InspectCommand>] = [
    .toggle(
      "tree", \.view.showsTree, in: .listing, "list modules with their totals, not tensors",
      manual: "Lists the modules of the names with the totals of their tensors. Layers are one row."
    ),
    .number(
      "depth", "N", \.view.depth, atLeast: 1, in: .listing, "list modules down to N levels",
      manual: "The number of levels of `--tree`, which it implies. The default is all."),
    .patterns(
      "only", \.view.names.only, in: .listing, "list only matching names",
      manual: """
        Lists only the tensors and values whose names match one of the patterns, which are separated
        by commas. `*` stands for any characters, `?` for one.
        """),
    .patterns(
      "skip", \.view.names.skip, in: .listing, "leave out matching names",
      manual: "Leaves out the names that match one of the patterns, as for `--only`."),
    .toggle(
      "tensors", \.view.onlyTensors, in: .listing, "list only tensors, each in its own row",
      manual: "Lists only tensors, and each of them on a terminal too."),
    .toggle(
      "values", \.view.onlyValues, in: .listing, "list only values, each in its own row",
      manual: """
        Lists only values that are not tensors. Without this flag, the attributes that every
        `nn.Module` has are only counted.
        """),
    .text(
      "value", "PATH", \.value, needs: "the path of a value", in: .listing,
      "print only the value at PATH, in full",
      manual: """
        Prints only the value at PATH, such as `param_groups.0.lr`, in full. It is JSON if JSON has
        a counterpart, otherwise text like in Python.
        """
    ) { $0.isEmpty ? nil : $0 },
    .text(
      "head", "NAME", \.head, needs: "the name of a tensor", in: .listing,
      "print the first numbers of one tensor",
      manual: """
        Prints the first elements of the tensor NAME with their indices, 10 of them or as many as
        `--limit` says. `ckptconv export` writes all of them.
        """
    ) { $0.isEmpty ? nil : $0 },
    .choice(
      "sort", "ORDER", \.view.order, in: .listing, "order tensors by file, name or size",
      manual: "The order of the tensors. The default is `file`."),
    .number(
      "limit", "N", \.view.limit, atLeast: 1, in: .listing, "list at most N tensors and N values",
      manual: "The maximum number of rows for tensors, and for values. The default is all."),
    .fullNames(\.view.keepsNames),
    .toggle(
      "drop-unsafe", \.reading.dropsUnsafe, in: .safety, "show None for objects that can run code",
      manual: """
        Without this flag a pickle with an object that can run code is refused. With it, None is
        shown for the object, and a warning names it. Nothing is run in either case. See
        `ckptconv help safety`.
        """),
  ]

  private var view = InspectionView()
  private var value: String?
  private var head: String?
  private var reading = ReadingOptions()

  func check(_ operands: [String], _ shared: SharedOptions) throws(UsageError) {
    try UsageError.refuseStandardInput(operands)
    if view.onlyTensors, view.onlyValues {
      throw .conflict("--tensors", "--values", because: "leave out both to list both")
    }
    guard value != nil || head != nil else { return }
    let flag = value != nil ? "--value" : "--head"
    if value != nil, head != nil {
      throw .conflict("--value", "--head", because: "each prints one thing")
    }
    if operands.count > 1 {
      throw .conflict(flag, "\(operands.count) inputs", because: "it prints one thing of one input")
    }
  }

  func run(
    on operands: [String], _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    if let value { return try show(value, of: operands[0], console) }
    if let head { return try show(head: head, of: operands[0], console) }
    var exitCode = ExitCode.done
    var isFirst = true
    for operand in operands {
      do throws(CheckpointError) {
        let files = try Inspection.files(of: operand)
        if files == [operand] {
          // Nobody reads the listing, so nothing needs to be found out for it.
          guard !console.hasLostReader else { return exitCode }
          try show(read(operand, console), in: nil, isFirst: &isFirst, shared, console)
        } else {
          exitCode.merge(try show(files, of: operand, isFirst: &isFirst, shared, console))
        }
      } catch {
        console.report(error)
        exitCode.merge(ExitCode(error))
      }
    }
    return exitCode
  }

  /// Shows a directory: its summary, then its files.
  private func show(
    _ files: [String], of directory: String, isFirst: inout Bool, _ shared: SharedOptions,
    _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    var exitCode = ExitCode.done
    var inspections: [Inspection] = []
    for path in files {
      do throws(CheckpointError) {
        inspections.append(try read(path, console))
      } catch {
        console.report(error)
        exitCode.merge(ExitCode(error))
      }
    }
    guard !inspections.isEmpty else { return exitCode }
    let summary = try CheckpointSummary(of: directory, inspections)
    if !shared.json, !shared.quiet {
      let text = SummaryText(summary, console).text
      try console.print((isFirst ? "" : "\n") + text)
      isFirst = false
    }
    for inspection in inspections {
      guard !console.hasLostReader else { break }
      try show(inspection, in: summary, isFirst: &isFirst, shared, console)
    }
    return exitCode
  }

  private func read(_ path: String, _ console: Console) throws(CheckpointError) -> Inspection {
    let inspection = try Inspection(of: path, reading)
    for warning in inspection.warnings { console.warn("\(path): \(warning)") }
    return inspection
  }

  private func show(
    _ inspection: Inspection, in summary: CheckpointSummary?, isFirst: inout Bool,
    _ shared: SharedOptions, _ console: Console
  ) throws(CheckpointError) {
    if shared.json { return try console.printJSON(inspection.json(in: summary)) }
    guard !shared.quiet else { return }
    let listing = InspectionListing(inspection, view, width: console.columns)
    let facts = summary == nil ? SummaryText.lines(of: inspection, console) : ""
    let path = summary == nil ? inspection.path : FilePath(inspection.path).name
    let heading = console.paint(listing.heading(of: path), .heading)
    try console.print("\(isFirst ? "" : "\n")\(heading)\n\(facts)\(listing.text)")
    isFirst = false
  }

  private func show(
    head name: String, of operand: String, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    for path in try Inspection.files(of: operand) {
      guard let first = try FirstElements(of: name, count: view.limit ?? 10, in: path, reading)
      else { continue }
      let table = Table(
        [.text("index"), .decimal("\(first.dtype) \(first.shape)")],
        rows: first.elements.map { ["\($0.indices)", $0.text] })
      try console.print(table.text(width: console.columns))
      return .done
    }
    throw Self.missing(tensor: name, in: operand)
  }

  /// Returns the error for a tensor that an input does not have.
  static func missing(tensor name: String, in input: String) -> CheckpointError {
    CheckpointError(
      .unsupported, "there is no tensor '\(name)'",
      remedy: "list the names with 'ckptconv inspect --tensors'"
    ).framed(by: input)
  }

  private func show(
    _ value: String, of operand: String, _ console: Console
  ) throws(CheckpointError) -> ExitCode {
    for path in try Inspection.files(of: operand) {
      if let found = try ValueLookup(value, in: path, reading) {
        try console.print("\(found.json ?? found.text.harmless)\n")
        return .done
      }
    }
    throw CheckpointError(
      .unsupported, "there is no value at '\(value)'",
      remedy: "list the paths with 'ckptconv inspect'"
    ).framed(by: operand)
  }
}

/// The rows to list, and their form.
struct InspectionView: Sendable {
  var showsTree = false
  /// The number of levels of modules; implies ``showsTree``.
  var depth: Int?
  var names = NameFilter()
  var onlyTensors = false
  var onlyValues = false
  var order: TensorOrder?
  /// The maximum number of rows of each kind.
  var limit: Int?
  var keepsNames = false

  /// Whether modules are listed in place of tensors.
  var listsModules: Bool { showsTree || depth != nil }
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

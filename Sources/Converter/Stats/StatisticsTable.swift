internal import CkptBase
package import CkptCheckpoints
internal import CkptCopy

/// Statistics as rows of text, for terminals and for CSV.
package struct StatisticsTable: Sendable {
  /// A column: its name, as JSON has it, and what stands above it.
  package struct Column: Hashable, Sendable {
    /// The name by which it is chosen.
    package let key: String
    /// The words above it.
    package let title: String
    /// Whether it holds numbers.
    package let isNumeric: Bool
  }

  /// A row: for each column the text, and the number to sort by where there is one.
  package struct Row: Hashable, Sendable {
    /// The cells as people read them.
    package var cells: [String]
    /// The cells as programs read them.
    package var values: [String]
    fileprivate var numbers: [Double?]
  }

  /// The columns.
  package private(set) var columns: [Column]
  /// The rows.
  package private(set) var rows: [Row] = []

  private init(columns: [Column]) { self.columns = columns }
}

extension StatisticsTable {
  /// The words above the columns that tables have without being told.
  private static let titles = [
    "name": "tensor", "max_abs": "max", "update_rms": "update",
    "relative_update": "rel. update", "distance_previous": "moved",
    "relative_distance": "rel. moved", "distance_first": "moved in all",
  ]

  private static func column(_ key: String, isNumeric: Bool = true) -> Column {
    let title = titles[key] ?? key.split(separator: "_").joined(separator: " ")
    return Column(key: key, title: title, isNumeric: isNumeric)
  }

  private static let textKeys = ["name", "part", "role", "block", "dtype", "shape"]

  /// The columns of a table of tensors, all of them.
  private static let tensorColumns: [Column] =
    textKeys.map { column($0, isNumeric: $0 == "block") } + [column("max_abs")]
    + StatisticsField<ElementStatistics>.all.map { column($0.key) }
    + StatisticsField<CheckpointStatistics.ParameterRow>.all
    .filter { field in !StatisticsField<ElementStatistics>.all.contains { $0.key == field.key } }
    .map { column($0.key) }

  /// The columns that a table of tensors has without being told.
  package static let usualTensorColumns = [
    "name", "shape", "rms", "max_abs", "kurtosis", "grad_rms", "update_rms", "relative_update",
  ]

  /// A table of the tensors of a checkpoint: those of the model, with what is known of their updates, and
  /// those of the optimizer if `part` asks for them.
  package init(
    tensorsOf checkpoint: CheckpointStatistics, part: CheckpointStatistics.Part? = .model
  ) {
    self.init(columns: Self.tensorColumns)
    var updates: [ExactString: CheckpointStatistics.ParameterRow] = [:]
    for parameter in checkpoint.parameters { updates[ExactString(parameter.name)] = parameter }
    for tensor in checkpoint.tensors where part == nil || tensor.part == part {
      let update = tensor.part == .model ? updates[ExactString(tensor.name)] : nil
      rows.append(Self.row(tensor, update))
    }
  }

  private static func row(
    _ tensor: CheckpointStatistics.TensorRow, _ update: CheckpointStatistics.ParameterRow?
  ) -> Row {
    let block = tensor.block.map { String($0) } ?? ""
    let texts = [
      tensor.name, tensor.part.rawValue, tensor.role.rawValue, block, tensor.dtype,
      tensor.shape.description,
    ]
    let numbers = tensor.statistics
    let largest = numbers.minimum.flatMap { low in numbers.maximum.map { max(-low, $0) } }
    var row = Row(
      cells: texts + [largest.map(short) ?? ""], values: texts + [largest?.description ?? ""],
      numbers: [nil, nil, nil, tensor.block.map { Double($0) }, nil, nil, largest])
    for field in StatisticsField<ElementStatistics>.all { row.add(field, numbers) }
    let known = StatisticsField<ElementStatistics>.all
    for field in StatisticsField<CheckpointStatistics.ParameterRow>.all
    where !known.contains(where: { $0.key == field.key }) {
      row.add(field, update)
    }
    return row
  }

  /// A table of the tensors of a checkpoint, those of a block or of a role taken together.
  package init(of checkpoint: CheckpointStatistics, by grouping: StatisticsGrouping) {
    let fields = StatisticsField<ModuleStatistics>.all
    let groups =
      switch grouping {
      case .tensor: [(name: String, module: ModuleStatistics)]()
      case .block: checkpoint.blocks
      case .module: checkpoint.modules.map { (name: $0.role.rawValue, module: $0.module) }
      }
    guard grouping != .tensor else {
      self.init(tensorsOf: checkpoint)
      return
    }
    self.init(
      columns: [Self.column("name", isNumeric: false)] + fields.map { Self.column($0.key) })
    for (name, module) in groups + [(name: "total", module: checkpoint.total)] {
      var row = Row(cells: [name], values: [name], numbers: [nil])
      for field in fields { row.add(field, module) }
      rows.append(row)
    }
  }

  /// The columns that a table of checkpoints has without being told.
  package static let usualStepColumns = [
    "step", "lr", "rms", "grad_norm", "update_rms", "relative_update", "distance_previous", "turn",
    "findings",
  ]

  /// A table of the checkpoints of a run.
  package init(of run: RunStatistics) {
    let fields = StatisticsField<RunStatistics.StepRow>.all
    self.init(
      columns: [Self.column("step"), Self.column("path", isNumeric: false)]
        + fields.map { Self.column($0.key) } + [Self.column("findings")])
    for step in run.rows {
      let found = run.findings.count { $0.path == step.path }
      let number = step.step.map { String($0) } ?? ""
      var row = Row(
        cells: [number, step.path], values: [number, step.path],
        numbers: [step.step.map { Double($0) }, nil])
      for field in fields { row.add(field, step) }
      row.cells.append(found == 0 ? "" : String(found))
      row.values.append(String(found))
      row.numbers.append(Double(found))
      rows.append(row)
    }
  }
}

extension StatisticsTable {
  /// The names of the columns that there are in any table.
  package static var allColumns: [String] {
    var known: Set<String> = []
    let steps =
      ["step", "path", "findings"] + StatisticsField<RunStatistics.StepRow>.all.map(\.key)
    let modules = StatisticsField<ModuleStatistics>.all.map(\.key)
    return (tensorColumns.map(\.key) + steps + modules).filter { known.insert($0).inserted }
  }

  /// The names of all columns.
  package var keys: [String] { columns.map(\.key) }

  /// Keeps the rows whose first column is a name that the filter chooses.
  package mutating func keep(_ names: NameFilter) {
    rows.removeAll { !names.selects($0.values[0]) }
  }

  /// Orders the rows by a column: text from the first letter on, numbers from the largest on, NaN before
  /// them and rows without number last.
  package mutating func sort(by key: String) {
    guard let column = keys.firstIndex(of: key) else { return }
    let order = rows.indices.sorted { first, second in
      let (left, right) = (rows[first], rows[second])
      if !columns[column].isNumeric, left.values[column] != right.values[column] {
        return left.values[column] < right.values[column]
      }
      let (one, other) = (left.rank(column), right.rank(column))
      return one == other ? first < second : one > other
    }
    rows = order.map { rows[$0] }
  }

  /// Keeps the first rows.
  package mutating func truncate(to count: Int) { rows = Array(rows.prefix(count)) }

  /// Keeps these columns, in this order; names that are none are left out.
  package mutating func select(_ keys: [String]) {
    let places = keys.compactMap { self.keys.firstIndex(of: $0) }
    columns = places.map { columns[$0] }
    rows = rows.map { row in
      Row(
        cells: places.map { row.cells[$0] }, values: places.map { row.values[$0] },
        numbers: places.map { row.numbers[$0] })
    }
  }

  /// The rows as CSV (RFC 4180, with line feeds), behind cells that are the same in each, and below the
  /// names of the columns if `header` says so.
  package func csv(header: Bool, behind cells: [(key: String, value: String)] = []) -> String {
    let fixed = cells.map(\.value)
    let lines = (header ? [cells.map(\.key) + keys] : []) + rows.map { fixed + $0.values }
    return lines.map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
  }

  private static func quoted(_ text: String) -> String {
    guard text.utf8.contains(where: { [0x22, 0x2c, 0x0a, 0x0d].contains($0) }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}

extension StatisticsTable.Row {
  /// Adds a cell for a field of something that may not be there.
  fileprivate mutating func add<Root>(_ field: StatisticsField<Root>, _ root: Root?) {
    let text = root.flatMap { field.text(of: $0) }
    let number = root.flatMap { field.number(of: $0) }
    cells.append(field.isCount ? text ?? "" : number.map(short) ?? "")
    values.append(text ?? "")
    numbers.append(number)
  }

  /// A rank to order rows by: NaN is above infinity, no number below everything.
  fileprivate func rank(_ column: Int) -> (Int, Double) {
    guard let number = numbers[column] else { return (0, 0) }
    return number.isNaN ? (2, 0) : (1, number)
  }
}

/// A number in a table: three digits.
private func short(_ number: Double) -> String { ShortNumber.text(number, digits: 3) }

internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats

/// The first paragraph of `ckptconv diff`: what training has changed.
struct DiffSummary {
  private let report: DiffReport

  init(_ report: DiffReport) { self.report = report }

  /// Returns the paragraph, or nothing if no tensor and no setting changed, in lines of at most `width` columns if given.
  func text(width: Int?) -> String {
    let sentence = (report.files.map(sentence) + [settings]).compactMap(\.self)
      .joined(separator: "; ")
    guard !sentence.isEmpty else { return "" }
    let lines = width.map { sentence.harmless.wrapped(to: $0) } ?? [sentence.harmless]
    return lines.map { "\($0)\n" }.joined()
  }

  /// Returns the changes of the tensors of a file; `nil` if none changed.
  private func sentence(_ file: DiffFinding) -> String? {
    guard !file.tensors.isEmpty else { return nil }
    let name = CheckpointMembers.name(ofFile: FilePath(file.first).name)
    let count = file.tensors.count
    var words =
      "\(name): "
      + (count == file.comparedCount
        ? count == 1 ? "1 tensor changed" : "all \(count) tensors changed"
        : "\(count) of \(file.comparedCount.pluralized("tensor")) changed")
    let changes = file.tensors.compactMap { row in
      row.firstType.contains("float") ? row.elements?.relativeChange.map { (row.name, $0) } : nil
    }.filter { !DiffRow.isStep($0.0) }
    if let (name, change) = changes.max(by: { $0.1 < $1.1 }) {
      words += ", the largest by \(Percentage.text(change)) in \(name)"
    }
    let steps = file.tensors.filter { DiffRow.isStep($0.name) && $0.shape.isEmpty }
    let distances = Set(steps.compactMap { $0.elements?.absolute?.value })
    if let distance = distances.first, distances.count == 1 {
      words += ", \(ShortNumber.text(distance)) steps apart"
    }
    return words
  }

  /// The changed learning rate and step; `nil` if both are equal.
  private var settings: String? {
    var words: [String] = []
    for (title, key) in [("learning rate", ".lr"), ("step", "global_step")] {
      let found = report.files.flatMap(\.others).first {
        $0.place == key || $0.place.hasSuffix(key) && key.hasPrefix(".")
      }
      guard let first = found?.first, let second = found?.second else { continue }
      words.append("\(title) \(Self.short(first)) -> \(Self.short(second))")
    }
    return words.isEmpty ? nil : words.joined(separator: ", ")
  }

  private static func short(_ number: String) -> String {
    guard number.contains("."), let value = Double(number) else { return number }
    return ShortNumber.text(value, digits: 6)
  }
}

/// A row of the list of tensors: a tensor, or the step counters of all parameters.
struct DiffRow {
  let name: String
  let row: DiffFinding.TensorRow

  /// Returns the rows of a file, with equal differences of step counters as one.
  static func rows(of file: DiffFinding) -> [DiffRow] {
    var rows: [DiffRow] = []
    var counters: [Double?: (place: Int, count: Int)] = [:]
    for row in file.tensors {
      guard isStep(row.name), row.shape.isEmpty else {
        rows.append(DiffRow(name: row.name, row: row))
        continue
      }
      let distance = row.elements?.absolute?.value
      if let known = counters[distance] {
        counters[distance] = (known.place, known.count + 1)
        rows[known.place] = DiffRow(
          name: "step of \(known.count + 1) parameters", row: rows[known.place].row)
      } else {
        counters[distance] = (rows.count, 1)
        rows.append(DiffRow(name: row.name, row: row))
      }
    }
    return rows
  }

  /// Whether a tensor is the step counter of a parameter.
  static func isStep(_ name: String) -> Bool {
    name.hasPrefix("\(OptimizerState.stateKey).") && name.hasSuffix(".step")
  }
}

/// Ratios in percent.
enum Percentage {
  /// Returns a ratio as text, such as `3.1 %`.
  static func text(_ ratio: Double) -> String { "\(ShortNumber.text(100 * ratio, digits: 3)) %" }
}

internal import CkptBase
internal import CkptCheckpoints
internal import CkptInspect

/// The summary of a checkpoint directory, or of one file, in a few lines.
struct SummaryText {
  private let summary: CheckpointSummary
  private let console: Console

  init(_ summary: CheckpointSummary, _ console: Console) {
    (self.summary, self.console) = (summary, console)
  }

  /// The heading and one line for each subject.
  var text: String {
    let step = summary.step.map { ", step \($0)" } ?? ""
    let heading = "\(summary.path): \(summary.kind)\(step)".harmless
    let size = summary.files.reduce(0) { $0.addingClamped($1.byteCount) }
    let files = summary.files.map { "\($0.name) \(ByteCount(bytes: $0.byteCount))" }
    return console.paint(heading, .heading) + "\n"
      + Self.lines(
        [
          ("model", model), ("optimizer", optimizer),
          ("files", "\(files.joined(separator: ", ")); \(ByteCount(bytes: size)) in all"),
          ("note", summary.remarks.isEmpty ? nil : summary.remarks.joined(separator: "; ")),
        ], console)
  }

  private var model: String? {
    guard let parameters = summary.parameterCount else { return summary.architecture }
    return Self.model(
      summary.architecture, layers: summary.layerCount, parameters: parameters, summary.dtypes)
  }

  private var optimizer: String? {
    summary.optimizer.map { Self.optimizer($0, named: summary.optimizerName) }
      ?? summary.optimizerName.map { "\($0), no state" }
  }

  /// Returns the facts about one file, one line for each subject.
  static func lines(of inspection: Inspection, _ console: Console) -> String {
    let facts = inspection.facts
    let isModel = facts.kind == .model || facts.kind == .other && !inspection.tensors.isEmpty
    return lines(
      [
        (
          "model",
          isModel
            ? model(
              nil, layers: facts.layerCount, parameters: inspection.elementCount,
              inspection.dtypes.map(\.dtype)) : nil
        ),
        ("optimizer", facts.optimizer.map { optimizer($0, named: nil) }),
        ("step", facts.step.map { "\($0)" }),
        ("note", inspection.remarks.isEmpty ? nil : inspection.remarks.joined(separator: "; ")),
      ], console)
  }

  private static func model(
    _ architecture: String?, layers: Int?, parameters: Int, _ dtypes: [String]
  ) -> String {
    let parts: [String?] = [
      architecture, layers.map { $0.pluralized("layer") },
      "\(ElementCount(parameters)) parameters",
      dtypes.isEmpty ? nil : Self.list(dtypes),
    ]
    return parts.compactMap(\.self).joined(separator: ", ")
  }

  /// Returns the first of several dtypes, and the number of the others.
  private static func list(_ dtypes: [String]) -> String {
    guard dtypes.count > 3 else { return dtypes.joined(separator: " and ") }
    return dtypes.prefix(2).joined(separator: ", ") + " and \(dtypes.count - 2) more dtypes"
  }

  private static func optimizer(_ facts: OptimizerFacts, named name: String?) -> String {
    var parts = [name ?? facts.algorithm ?? "unknown algorithm"]
    if let first = facts.learningRates.first, let last = facts.learningRates.last {
      parts.append("lr \(ShortNumber.text(first))")
      if first != last { parts[1] += " to \(ShortNumber.text(last))" }
    }
    switch (facts.stateCount, facts.parameterCount) {
    case (0, _): parts.append("no state yet")
    case (let states, let parameters) where states >= parameters: parts.append("state complete")
    case (let states, let parameters):
      parts.append("state for \(states) of \(parameters) parameters")
    }
    return parts.joined(separator: ", ")
  }

  private static func lines(_ lines: [(title: String, text: String?)], _ console: Console) -> String
  {
    let shown = lines.filter { $0.text != nil }
    let titleWidth = shown.reduce(0) { max($0, $1.title.width) }
    return shown.flatMap { title, text in
      let head = "  \(title.padded(to: titleWidth))  "
      let room = console.columns.map { max(20, $0 - head.width) } ?? .max
      return (text ?? "").harmless.wrapped(to: room).enumerated().map { number, line in
        (number == 0 ? head : String(repeating: " ", count: head.width)) + line + "\n"
      }
    }.joined()
  }
}

internal import CkptBase
internal import CkptCheck
internal import CkptCopy

/// Distributions, tables and definitions.
extension RunReport {
  // MARK: Magnitudes

  private static let ridgeCount = 10

  /// About ten steps, evenly spaced, with the first and the last.
  private var ridgeSteps: [Int] {
    let last = run.rows.count - 1
    guard last >= Self.ridgeCount else { return Array(run.rows.indices) }
    return (0..<Self.ridgeCount).map { $0 * last / (Self.ridgeCount - 1) }
  }

  private func ridges(
    _ title: String, _ caption: String, _ histogram: (Magnitudes) -> MagnitudeHistogram?
  ) -> HTML {
    let found = ridgeSteps.compactMap { step in
      histogram(run.magnitudes[step]).map {
        Ridgelines.Ridge(step: places[step], histogram: $0)
      }
    }
    guard !found.isEmpty else { return "" }
    let picture = Ridgelines(
      label: "\(title): share of the elements of each magnitude", ridges: found)
    return figure(title, caption, picture.svg)
  }

  func magnitudesSection(_ data: inout ReportData) -> HTML {
    let figures = [
      ridges("Embedding", "magnitudes of all elements") { $0.byRole[.embedding] },
      ridges("Attention", "magnitudes of all elements") { $0.byRole[.attention] },
      ridges("MLP", "magnitudes of all elements") { $0.byRole[.mlp] },
      ridges("Second moments", "magnitudes of exp_avg_sq") { $0.secondMoments }, rowsFigure(&data),
    ]
    guard figures.contains(where: { !$0.text.isEmpty }) else { return "" }
    return """
      <section aria-labelledby="h-magnitudes"><h2 id="h-magnitudes">Magnitudes</h2><p class="lead">Share \
      of the elements of each size, by powers of two, from the first step at the back to the last in \
      front.</p><div class="grid four">\(figures)</div></section>

      """
  }

  private func rowsFigure(_ data: inout ReportData) -> HTML {
    let rows = run.magnitudes.map(\.embeddingRows)
    guard rows.contains(where: { $0 != nil }) else { return "" }
    let lines: [LineChart.Line] = [
      .init(name: "largest", style: "m-attention", values: rows.map { $0?.maximum }),
      .init(name: "median", style: "m-mlp", values: rows.map { $0?.median }),
      .init(name: "smallest", style: "m-embedding", values: rows.map { $0?.minimum }),
    ]
    var chart = LineChart(
      id: "c-rows", label: "Norms of the rows of the embedding over the steps", lines: lines,
      places: places)
    chart.isLogarithmic = false
    chart.namesLines = true
    chart.marks = marks([.rows])
    data.add(chart)
    return figure("Rows of the embedding", "their norms over the steps", chart.svg)
  }

  // MARK: Tables

  /// The most tensors in the table.
  private static let rowLimit = 2000

  private func head(_ columns: [(title: String, isText: Bool)], sorts: Bool) -> HTML {
    HTML(
      columns.map { title, isText in
        let style: HTML = isText ? " class=\"l\"" : ""
        let name: HTML = sorts ? "<button type=\"button\">\(title)</button>" : "\(title)"
        return "<th scope=\"col\"\(style)>\(name)</th>"
      })
  }

  var tensorsSection: HTML {
    let tensors = run.history.tensors
    guard !tensors.isEmpty, let last = run.rows.last else { return "" }
    var severities: [Int: Finding.Severity] = [:]
    for finding in run.findings.reversed() {
      if let place = finding.tensor.flatMap({ run.history.place(of: $0) }) {
        severities[place] = finding.severity
      }
    }
    let rows = tensors.indices.prefix(Self.rowLimit).map { tensorRow($0, severities[$0]) }
    let more = tensors.count > rows.count ? ", the first \(rows.count) of \(tensors.count)" : ""
    let head = head(
      [
        ("tensor", true), ("shape", true), ("RMS", false), ("over the steps", false),
        ("largest", false), ("kurtosis", false), ("gradient RMS", false), ("update RMS", false),
        ("relative update", false),
      ], sorts: true)
    return """
      <section aria-labelledby="h-tensors"><h2 id="h-tensors">Tensors at step \(name(of: last))\
      \(more)</h2><div class="tools js"><input type="search" id="find" placeholder="Filter names" \
      aria-label="Filter tensors by name"><span class="muted" id="count" role="status">\
      \(count(rows.count, "tensor"))</span></div><div class="wrap" tabindex="0" role="region" \
      aria-label="Table of tensors"><table class="sort" id="tensors"><thead><tr>\(head)</tr></thead>\
      <tbody>\(rows)</tbody></table></div></section>

      """
  }

  private func tensorRow(_ place: Int, _ severity: Finding.Severity?) -> HTML {
    let tensor = run.history.tensors[place]
    func last(_ measure: TensorHistory.Measure) -> String {
      let value = run.history.values(measure, of: place).last ?? .nan
      return value.isNaN ? "–" : Double(value).inReport
    }
    let sizes = run.history.values(.rootMeanSquare, of: place).map { Double($0) as Double? }
    let style: HTML = severity.map { " class=\"\($0.rawValue)\"" as HTML } ?? ""
    let word: HTML = severity.map { "<span class=\"only\"> (\($0.rawValue))</span>" as HTML } ?? ""
    let shape = tensor.shape.map { String($0) }.joined(separator: " × ")
    let numbers = [
      last(.largest), last(.kurtosis), last(.gradient), last(.update), last(.relativeUpdate),
    ].map { "<td>\($0)</td>" as HTML }
    return """
      <tr id="t\(place)"\(style)><th scope="row"><code>\(tensor.name)</code>\(word)</th>\
      <td class="l">\(shape)</td><td>\(last(.rootMeanSquare))</td>\
      <td>\(Sparkline(values: sizes).svg)</td>\(numbers)</tr>

      """
  }

  var checkpointsSection: HTML {
    let head = head(
      [
        ("checkpoint", true), ("learning rate", false), ("RMS", false), ("gradient norm", false),
        ("update RMS", false), ("relative update", false), ("moved", false), ("turning", false),
        ("findings", false),
      ], sorts: false)
    let rows = run.rows.map { row -> HTML in
      let found = run.findings.count { $0.path == row.path }
      let cells = [
        row.learningRate.inReport, row.rootMeanSquare.inReport, row.gradientNorm.inReport,
        row.updateRootMeanSquare.inReport, row.relativeUpdate.inReport,
        row.relativeDistance.inReport, row.turn.inReport, found == 0 ? "" : String(found),
      ].map { "<td>\($0)</td>" as HTML }
      return "<tr><th scope=\"row\">\(name(of: row))</th>\(cells)</tr>\n"
    }
    return """
      <section aria-labelledby="h-checkpoints"><h2 id="h-checkpoints">Checkpoints</h2>\
      <div class="wrap" tabindex="0" role="region" aria-label="Table of checkpoints"><table><thead>\
      <tr>\(head)</tr></thead><tbody>\(rows)</tbody></table></div></section>

      """
  }

  // MARK: Definitions

  private static let definitions: [(term: String, meaning: String)] = [
    ("RMS", "√(Σx² ∕ n) over the finite elements, summed in double precision"),
    (
      "norm of the gradient",
      "√Σv̂, with v̂ = exp_avg_sq ∕ (1 − β2ᵗ): over about the last 1 ∕ (1 − β2) steps, after clipping"
    ),
    (
      "update",
      "m̂ ∕ (√v̂ + ε), which the learning rate multiplies; its RMS is √((1 − β1) ∕ (1 + β1)) if "
        + "gradients are noise, and 1 if they never change"
    ),
    ("relative update", "learning rate × ‖update‖ ∕ ‖weights‖"),
    (
      "kurtosis",
      "the fourth central moment by the square of the variance: 3 for a normal distribution"
    ),
    (
      "distance, turning",
      "‖w − w′‖ by the norm before, and the cosine of the angle between one move and the next"
    ),
    (
      "not in a checkpoint",
      "losses and activations; a spike that begins and ends between two checkpoints leaves no trace in "
        + "the moments"
    ),
  ]

  var definitionsSection: HTML {
    let list = Self.definitions.map { "<dt>\($0.term)</dt><dd>\($0.meaning)</dd>" as HTML }
    return """
      <section aria-labelledby="h-definitions"><h2 id="h-definitions">What the numbers are</h2>\
      <dl class="defs">\(list)</dl></section>

      """
  }
}

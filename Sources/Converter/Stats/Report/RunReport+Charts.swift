internal import CkptBase
internal import CkptCheck
internal import CkptCopy

/// Charts of the whole model and of its modules over the steps.
extension RunReport {
  func figure(_ title: String, _ caption: String, _ picture: HTML, _ legend: HTML = "") -> HTML {
    """
    <figure class="panel"><figcaption><h3>\(title)</h3><p>\(caption)</p></figcaption>\(picture)\
    \(legend)</figure>
    """
  }

  /// A figure of a chart, whose values go to the script; empty without values.
  private func figure(
    _ title: String, _ caption: String, _ chart: LineChart, _ data: inout ReportData
  ) -> HTML {
    guard chart.lines.contains(where: { $0.values.contains { $0?.isFinite == true } }) else {
      return ""
    }
    data.add(chart)
    return figure(title, caption, chart.svg)
  }

  func stepsSection(_ data: inout ReportData) -> HTML {
    let figures = [
      lossFigure(&data), gradientFigure(&data), sizeFigure(&data), updateFigure(&data),
      relativeFigure(&data), gainsFigure(&data),
    ]
    return """
      <section aria-labelledby="h-steps"><h2 id="h-steps">Over the steps</h2><p class="lead">Triangles \
      mark findings. Point at a chart, or use its arrow keys, for values.</p>\
      <div class="grid three">\(figures)</div></section>

      """
  }

  private func chart(_ id: String, _ label: String, _ lines: [LineChart.Line]) -> LineChart {
    LineChart(id: id, label: label, lines: lines, places: places)
  }

  // MARK: The model

  private func lossFigure(_ data: inout ReportData) -> HTML {
    guard let series = metrics.series.first, !series.points.isEmpty, hasSteps else { return "" }
    let points = series.thinned(to: 600)
    var chart = LineChart(
      id: "c-loss", label: "Loss over the steps",
      lines: [.init(name: series.name, style: "one", values: points.map(\.value))],
      places: points.map { Double($0.step) })
    chart.isLogarithmic = false
    chart.pointLimit = 600
    chart.hasOwnPlaces = true
    guard hasLog else {
      let caption = "of the last steps before each checkpoint, from the trainer's state"
      return figure("Loss", caption, chart, &data)
    }
    let score = series.spikeScore.map { "; spike score \((100 * $0).inReport) %" } ?? ""
    return figure("Loss", "\(series.name) of the training log\(score)", chart, &data)
  }

  private func gradientFigure(_ data: inout ReportData) -> HTML {
    var chart = chart(
      "c-gradient", "Norm of the gradient over the steps",
      [.init(name: "gradient", style: "one", values: run.rows.map(\.gradientNorm))])
    chart.marks = marks([.gradientJump, .alwaysClipped])
    return figure("Norm of the gradient", "√Σv̂, after clipping", chart, &data)
  }

  // MARK: Modules

  /// One line for each role that has values.
  private func lines(
    _ roles: [ParameterRole], _ value: (Int, RunStatistics.ModuleRow) -> Double?
  ) -> [LineChart.Line] {
    roles.compactMap { role in
      let values = run.modules.indices.map { step in
        run.modules[step][role].flatMap { value(step, $0) }
      }
      guard values.contains(where: { $0 != nil }) else { return nil }
      return .init(name: role.rawValue, style: "m-\(role.rawValue)", values: values)
    }
  }

  private var matrixRoles: [ParameterRole] { [.embedding, .attention, .mlp, .head, .other] }

  private func sizeFigure(_ data: inout ReportData) -> HTML {
    var chart = chart(
      "c-size", "RMS of the weights by module over the steps",
      lines(matrixRoles) { $1.module.rootMeanSquare })
    chart.namesLines = true
    chart.marks = marks([.weightsJump])
    return figure("Size of the weights", "RMS by module", chart, &data)
  }

  private func updateFigure(_ data: inout ReportData) -> HTML {
    var chart = chart(
      "c-update", "RMS of the update by module over the steps",
      lines(matrixRoles) { $1.module.updateRootMeanSquare })
    chart.namesLines = true
    chart.marks = marks([.updateSize, .epsilon, .secondMomentVanished])
    if let floor = run.facts.settings.rule?.noiseFloor {
      chart.band = floor / 5...3 * floor
      chart.reference = floor
    }
    return figure(
      "Size of the update", "RMS of m̂ ∕ (√v̂ + ε); shaded: usual, dotted: noise alone", chart, &data)
  }

  private func relativeFigure(_ data: inout ReportData) -> HTML {
    var chart = chart(
      "c-relative", "Relative update by module over the steps",
      lines(matrixRoles) { step, row in
        guard let rate = run.rows[step].learningRate, let norm = row.module.updateNorm,
          row.module.norm > 0
        else { return nil }
        return rate * norm / row.module.norm
      })
    chart.namesLines = true
    chart.marks = marks([.relativeUpdate])
    return figure("Relative update", "learning rate × update ∕ weights", chart, &data)
  }

  /// The mean of the gains of each kind of norm.
  private func gainsFigure(_ data: inout ReportData) -> HTML {
    var kinds: [String: [Int]] = [:]
    for (place, tensor) in run.history.tensors.enumerated() where tensor.role == .norm {
      kinds[tensor.kind, default: []].append(place)
    }
    let names = kinds.keys.sorted().prefix(5)
    let styles = ["m-attention", "m-mlp", "m-embedding", "m-head", "m-norm"]
    var chart = chart(
      "c-gains", "Gains of the norms over the steps",
      zip(names, styles).map { name, style in
        let all = (kinds[name] ?? []).map { run.history.values(.rootMeanSquare, of: $0) }
        return .init(
          name: name.droppingSuffix(".weight").split(separator: ".").last.map(String.init) ?? name,
          style: style,
          values: run.rows.indices.map { step in
            let known = all.map { Double($0[step]) }.filter(\.isFinite)
            return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
          })
      })
    chart.isLogarithmic = false
    chart.namesLines = true
    return figure("Gains of the norms", "RMS, mean of all blocks", chart, &data)
  }

  // MARK: The way

  func waySection(_ data: inout ReportData) -> HTML {
    guard run.rows.count > 1 else { return "" }
    let norms = run.rows.map(\.norm)
    var distance = chart(
      "c-distance", "Distance of the weights over the steps",
      [
        .init(
          name: "from first", style: "m-mlp",
          values: run.rows.map { row in
            row.distanceFromFirst.flatMap { norms[0] > 0 ? $0 / norms[0] : nil }
          }),
        .init(name: "since last", style: "m-attention", values: run.rows.map(\.relativeDistance)),
      ])
    distance.namesLines = true
    var turn = chart(
      "c-turn", "Cosine of the angle between moves over the steps",
      [.init(name: "cosine", style: "one", values: run.rows.map(\.turn))])
    turn.isLogarithmic = false
    let exactness =
      run.isExact
      ? "Distances are exact."
      : "Distances come from a sketch of each tensor; they are good to 4 %."
    let figures = [
      figure("Distance", "of all weights, relative to their norm", distance, &data),
      figure("Turning", "cosine between one move and the next", turn, &data),
      similarityFigure(&data), pathFigure,
    ]
    return """
      <section aria-labelledby="h-way"><h2 id="h-way">The way through weight space</h2>\
      <p class="lead">\(exactness)</p><div class="grid three">\(figures)</div></section>

      """
  }

  private func similarityFigure(_ data: inout ReportData) -> HTML {
    var map = HeatMap(
      id: "m-similarity", label: "Cosine of the weights of all pairs of checkpoints",
      names: run.rows.map(name), rows: run.similarity, places: places)
    map.isLogarithmic = false
    map.isSquare = true
    map.height = 300
    data.add(map)
    return figure(
      "Similarity", "cosine of the weights of all pairs of checkpoints", map.svg,
      map.legend("cosine"))
  }

  private var pathFigure: HTML {
    guard let path = WeightPath(products: run.products) else { return "" }
    let marked = Set(marks([.gradientJump, .weightsJump]).map(\.place))
    let picture = path.svg(
      label: "Path of the checkpoints in a plane", steps: places, marked: marked)
    return figure(
      "Path",
      "in the plane that shows most of it: \((100 * path.share).inReport) % of the variance",
      picture)
  }
}

extension TensorHistory.Tensor {
  /// The name without the block and what is before it: tensors of one kind do the same in each block.
  var kind: String {
    let steps = name.split(separator: ".", omittingEmptySubsequences: false)
    guard
      let number = steps.firstIndex(where: {
        !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
      })
    else { return name }
    return steps[(number + 1)...].joined(separator: ".")
  }
}

extension String {
  /// The text without an end that it may have.
  func droppingSuffix(_ suffix: String) -> String {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
  }
}

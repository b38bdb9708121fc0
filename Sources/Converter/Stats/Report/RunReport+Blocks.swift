internal import CkptBase

/// Block by block: four measures of the matrices of each kind, as lines and as maps.
extension RunReport {
  private struct Tab {
    let id: String
    let measure: TensorHistory.Measure
    let title: String
    let caption: String
  }

  private static let tabs = [
    Tab(
      id: "rms", measure: .rootMeanSquare, title: "RMS of the weights",
      caption: "Root mean square of all elements."),
    Tab(
      id: "update", measure: .update, title: "RMS of the update",
      caption: "m̂ ∕ (√v̂ + ε), before the learning rate."),
    Tab(
      id: "gradient", measure: .gradient, title: "RMS of the gradient",
      caption: "√(mean v̂) over the memory of the second moment."),
    Tab(
      id: "kurtosis", measure: .kurtosis, title: "Kurtosis of the weights",
      caption: "3 for a normal distribution; large where a few weights are far larger than others."),
  ]

  /// The most kinds of matrices, and the most blocks that have lines.
  private static let kindLimit = 8
  private static let lineLimit = 16

  /// The matrices of each kind with their blocks, in the order of the first block.
  private var kinds: [(name: String, tensors: [(block: Int, place: Int)])] {
    var found: [(name: String, tensors: [(block: Int, place: Int)])] = []
    for (place, tensor) in run.history.tensors.enumerated() {
      guard let block = tensor.block, tensor.shape.count == 2 else { continue }
      if let index = found.firstIndex(where: { $0.name == tensor.kind }) {
        found[index].tensors.append((block, place))
      } else if found.count < Self.kindLimit {
        found.append((tensor.kind, [(block, place)]))
      }
    }
    return found.map { ($0.name, $0.tensors.sorted { $0.block < $1.block }) }
  }

  func blocksSection(_ data: inout ReportData) -> HTML {
    let kinds = kinds
    guard !kinds.isEmpty else { return "" }
    let last = kinds.flatMap(\.tensors).map(\.block).max() ?? 0
    var labels: [HTML] = []
    var panels: [HTML] = []
    for tab in Self.tabs {
      let figures = kinds.map { figure(tab, $0.name, $0.tensors, last, &data) }
      guard figures.contains(where: { !$0.text.isEmpty }) else { continue }
      let checked: HTML = labels.isEmpty ? " checked" : ""
      labels.append(
        """
        <input type="radio" name="tab" id="t-\(tab.id)"\(checked)><label for="t-\(tab.id)">\
        \(tab.title)</label>
        """)
      panels.append(
        """
        <div class="tab" id="p-\(tab.id)"><h3 class="print">\(tab.title)</h3><p class="lead">\
        \(tab.caption) Lines: one for each block. Maps: blocks from bottom to top.</p>\
        <div class="grid four">\(figures)</div></div>
        """)
    }
    return """
      <section aria-labelledby="h-blocks"><h2 id="h-blocks">Block by block</h2>\
      <div class="keys"><span>block 0</span><i></i><span>block \(last)</span></div>\
      \(labels)\(panels)</section>

      """
  }

  private func figure(
    _ tab: Tab, _ kind: String, _ tensors: [(block: Int, place: Int)], _ last: Int,
    _ data: inout ReportData
  ) -> HTML {
    let rows = tensors.map { tensor in
      run.history.values(tab.measure, of: tensor.place).map { $0.isFinite ? Double($0) : nil }
    }
    guard rows.contains(where: { $0.contains { $0 != nil } }) else { return "" }
    // Names from a file are no names of elements.
    let number = kinds.firstIndex { $0.name == kind } ?? 0
    let words = "\(tab.title) of \(kind)"
    let map = HeatMap(
      id: "m-\(tab.id)-\(number)", label: "\(words) by block and step",
      names: tensors.map { "\($0.block)" }, rows: rows, places: places)
    let shown = shownBlocks(tensors)
    var chart = LineChart(
      id: "c-\(tab.id)-\(number)", label: "\(words), one line for each block",
      lines: shown.map { index in
        .init(
          name: "block \(tensors[index].block)",
          style: "d\(15 * tensors[index].block / max(last, 1))", values: rows[index])
      }, places: places)
    chart.map = (map.id, shown)
    data.add(chart)
    data.add(map)
    let shape = run.history.tensors[tensors[0].place].shape.map { String($0) }
      .joined(separator: " × ")
    return """
      <figure class="panel"><figcaption><h3><code>\(kind.droppingSuffix(".weight"))</code></h3>\
      <p>\(shape), \(count(tensors.count, "block"))</p></figcaption>\(chart.svg)\(map.svg)\
      \(map.legend(""))</figure>
      """
  }

  /// The blocks that have lines: evenly spaced ones, and those with findings.
  private func shownBlocks(_ tensors: [(block: Int, place: Int)]) -> [Int] {
    guard tensors.count > Self.lineLimit else { return Array(tensors.indices) }
    let found = Set(run.findings.compactMap(\.tensor).compactMap { run.history.place(of: $0) })
    var shown = Set(tensors.indices.filter { found.contains(tensors[$0].place) }.prefix(4))
    let free = Self.lineLimit - shown.count
    for number in 0..<free { shown.insert(number * (tensors.count - 1) / max(free - 1, 1)) }
    return shown.sorted()
  }
}

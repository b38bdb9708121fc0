internal import CkptBase
internal import CkptCheck
internal import CkptJSON

/// The statistics of a run as one HTML file, which loads nothing from anywhere.
///
/// All pictures are drawn before the file is opened: lines are SVG, maps are PNG inside of it. A script
/// adds a cursor with values, sorting and filtering; without it everything else is there.
public struct RunReport: Sendable {
  let run: RunStatistics
  let metrics: RunMetrics
  /// Whether the losses are those of a training log.
  let hasLog: Bool
  let title: String

  /// A report of a run, with the losses of a training log, or else those that the checkpoints have.
  public init(_ run: RunStatistics, metrics: RunMetrics? = nil, title: String) {
    self.run = run
    self.metrics = metrics ?? run.losses
    hasLog = metrics != nil
    self.title = title
  }

  /// The text of the file.
  public var html: String {
    var data = ReportData(steps: places)
    var sections: [HTML] = [findingsSection]
    if !run.rows.isEmpty {
      sections += [
        stepsSection(&data), blocksSection(&data), waySection(&data), magnitudesSection(&data),
        tensorsSection, checkpointsSection,
      ]
    }
    sections.append(definitionsSection)
    let page: HTML = """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">\
      <meta name="viewport" content="width=device-width,initial-scale=1">\
      <meta http-equiv="Content-Security-Policy" content="\(policy)">\
      <title>\(title): statistics of \(count(run.rows.count, "checkpoint"))</title>\
      <style>\(ReportStyle.css)</style></head><body>
      \(header)<main>
      \(sections)</main>
      <footer><p>Made by <code>ckptconv stats</code>. This file is complete: it loads nothing from \
      anywhere.</p></footer>
      <div id="tip" role="status"></div>\
      <script type="application/json" id="data">\(data.json)</script>\
      <script>\(ReportScript.javaScript)</script></body></html>

      """
    return page.text
  }

  /// Styles and scripts are those of this program, by their hashes; names from files cannot add any.
  private var policy: String {
    "default-src 'none'; img-src data:; style-src '\(Self.hash(ReportStyle.css))'; "
      + "script-src '\(Self.hash(ReportScript.javaScript))'"
  }

  private static func hash(_ source: HTML) -> String {
    let digest = SHA256.digest(of: Array(source.text.utf8).span.raw)
    return "sha256-" + Base64.encode(digest.bytes, .standard)
  }

  // MARK: Places

  /// Whether checkpoints stand at their steps; where these are not known or do not ascend, they are
  /// numbered.
  var hasSteps: Bool {
    let steps = run.rows.compactMap(\.step)
    return steps.count == run.rows.count && zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// The places of the checkpoints at horizontal axes.
  var places: [Double] {
    hasSteps ? run.rows.map { Double($0.step ?? 0) } : run.rows.indices.map { Double($0 + 1) }
  }

  /// The name of a checkpoint: its step, or its path.
  func name(of row: RunStatistics.StepRow) -> String {
    row.step.map { String($0) } ?? row.path
  }

  /// The findings of these rules as marks in a chart, one for each checkpoint.
  func marks(_ rules: Set<StatisticsFinding.Rule>) -> [LineChart.Mark] {
    run.rows.indices.compactMap { place in
      let found = run.findings.filter { rules.contains($0.rule) && $0.path == run.rows[place].path }
      guard let first = found.first else { return nil }
      let more = found.count > 1 ? ", and \(found.count - 1) more" : ""
      return LineChart.Mark(place: place, severity: first.severity, words: first.line + more)
    }
  }

  func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  // MARK: Head

  private var header: HTML {
    let facts = run.facts
    let last = run.rows.last
    let range =
      run.rows.count > 1
      ? "\(count(run.rows.count, "checkpoint")), steps \(run.rows.first.map(name) ?? "") to "
        + "\(last.map(name) ?? "")"
      : last.map { "step \(name(of: $0))" } ?? "no checkpoint"
    var entries: [(name: String, value: String)] = [
      ("parameters", facts.parameters.inWords), ("tensors", String(facts.tensors)),
      ("blocks", String(facts.blocks)),
    ]
    if let optimizer = facts.optimizer { entries.append(("optimizer", optimizer)) }
    if let beta1 = facts.settings.beta1, let beta2 = facts.settings.beta2 {
      let epsilon = facts.settings.epsilon.map { ", \($0.inReport)" } ?? ""
      entries.append(("β1, β2, ε", "\(beta1.inReport), \(beta2.inReport)\(epsilon)"))
    }
    if let rate = last?.learningRate { entries.append(("learning rate now", rate.inReport)) }
    entries.append(
      ("NaN and infinite now", facts.notFinite == 0 ? "none" : String(facts.notFinite)))
    let list = entries.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as HTML }
    return """
      <header><div class="top"><div><h1>\(title)</h1><p class="lead">Statistics of \(range)</p></div>\
      <div class="js"><button class="plain" id="theme" type="button">light / dark</button></div></div>\
      <dl class="facts">\(list)</dl></header>
      """
  }

  // MARK: Findings

  /// So many findings of a rule are told one by one; the others unfold.
  private static let toldFindings = 5

  private var findingsSection: HTML {
    let counts = Finding.Severity.allCases.map { count(run.count($0), $0.rawValue) }
      .joined(separator: ", ")
    var items: [HTML] = []
    var hidden: [HTML] = []
    var told: [StatisticsFinding.Rule: Int] = [:]
    for finding in run.findings {
      told[finding.rule, default: 0] += 1
      if told[finding.rule, default: 0] <= Self.toldFindings {
        items.append(item(finding))
      } else {
        hidden.append(item(finding))
      }
    }
    let rest: HTML =
      hidden.isEmpty
      ? ""
      : """
      <details><summary>\(count(hidden.count, "more finding")) of the same rules</summary>\
      <ul class="findings">\(hidden)</ul></details>
      """
    let list: HTML = items.isEmpty ? "" : "<ul class=\"findings\">\(items)</ul>"
    return """
      <section aria-labelledby="h-findings"><h2 id="h-findings">Findings</h2><p class="lead">\(counts). \
      Each has the first step at which it holds.</p>\(list)\(rest)</section>

      """
  }

  private func item(_ finding: StatisticsFinding) -> HTML {
    let target = target(of: finding)
    let place = finding.step.map { "step \($0)" } ?? finding.path
    let name: HTML = finding.tensor.map { "<code>\($0)</code>: " as HTML } ?? ""
    return """
      <li class="\(finding.severity.rawValue)"><span class="sev">\(finding.severity.rawValue)</span>\
      <span class="step">\(place)</span><p><a href="#\(target)">\(name)\(finding.message)</a> \
      <span class="muted">\(finding.rule.rawValue)</span></p></li>
      """
  }

  /// The element that shows what was found.
  private func target(of finding: StatisticsFinding) -> String {
    switch finding.rule {
    case .gradientJump, .alwaysClipped: return "c-gradient"
    case .weightsJump: return "c-size"
    case .rows: return "h-magnitudes"
    default:
      let tensor = finding.tensor.flatMap { name in run.history.place(of: name) }
      return tensor.map { "t\($0)" } ?? "h-tensors"
    }
  }
}

extension Int {
  /// A number of parameters in words: `1.48 billion`.
  fileprivate var inWords: String {
    for (size, word) in [(1e9, "billion"), (1e6, "million"), (1e3, "thousand")]
    where Double(self) >= size {
      return "\((Double(self) / size).inReport) \(word)"
    }
    return String(self)
  }
}

/// The numbers behind the pictures, which the script reads.
struct ReportData {
  private let steps: [Double]
  private var charts: [LineChart] = []
  private var maps: [HeatMap] = []

  init(steps: [Double]) { self.steps = steps }

  mutating func add(_ chart: LineChart) { charts.append(chart) }
  mutating func add(_ map: HeatMap) { maps.append(map) }

  /// The numbers as JSON that cannot end the element it stands in.
  var json: HTML {
    var json = JSONWriter()
    json.beginObject()
    json.numbers("steps", steps)
    json.key("charts")
    json.beginObject()
    for chart in charts { chart.write(to: &json) }
    json.endObject()
    json.key("maps")
    json.beginObject()
    for map in maps { map.write(to: &json) }
    json.endObject()
    json.endObject()
    var safe: [UInt8] = []
    safe.reserveCapacity(json.bytes.count)
    for byte in json.bytes {
      if byte == UInt8(ascii: "<") { safe += Array("\\u003c".utf8) } else { safe.append(byte) }
    }
    return HTML(stringLiteral: String(decoding: safe, as: UTF8.self))
  }
}

internal import CkptBase
internal import CkptCheck
internal import CkptJSON

/// Lines over the steps of a run as SVG, which is complete without scripts.
struct LineChart {
  /// A line.
  struct Line {
    let name: String
    /// The class that gives the color.
    let style: String
    /// One value for each place, or none.
    let values: [Double?]
  }

  /// A finding at one of the places.
  struct Mark {
    let place: Int
    let severity: Finding.Severity
    let words: String
  }

  let id: String
  /// The words for people who do not see it.
  let label: String
  var lines: [Line] = []
  /// The steps, or what else stands at the horizontal axis; they ascend.
  let places: [Double]
  var isLogarithmic = true
  /// The values that are usual.
  var band: ClosedRange<Double>?
  /// A value to compare with.
  var reference: Double?
  var marks: [Mark] = []
  /// Whether the lines are named at their ends.
  var namesLines = false
  /// The name of the map that has the values of the lines, and the row of each; `nil` where the chart has
  /// them itself.
  var map: (id: String, rows: [Int])?

  static let width = 384.0
  static let height = 208.0
  static let left = 44.0
  static let top = 8.0
  static let bottom = 22.0
  private var right: Double { namesLines ? 84 : 12 }
  /// The most points that a line is drawn with.
  var pointLimit = 100
  /// Whether the places are others than the checkpoints of the run.
  var hasOwnPlaces = false

  private var scale: ChartScale? {
    ChartScale(
      covering: lines.lazy.flatMap(\.values).compactMap(\.self), isLogarithmic: isLogarithmic)
  }

  private var steps: ChartScale { ChartScale(steps: places) }

  /// The picture; empty without values.
  var svg: HTML {
    guard let scale else { return "" }
    let steps = steps
    var parts: [HTML] = []
    if let band {
      let (top, bottom) = (y(band.upperBound, scale), y(band.lowerBound, scale))
      parts.append(
        """
        <rect class="band" x="\(Self.left)" y="\(top)" width="\(plotWidth)" height="\(bottom - top)"/>
        """)
    }
    for tick in scale.ticks(4) { parts.append(horizontalTick(tick, scale)) }
    parts.append(AxisOfSteps(steps, height: Self.height, right: right).svg)
    if let reference, scale.low <= reference, reference <= scale.high {
      parts.append(horizontalLine("ref", y(reference, scale)))
    }
    for mark in marks { parts.append(svg(of: mark, steps)) }
    for line in lines { parts.append(path(line, scale, steps)) }
    if namesLines { parts.append(names(scale)) }
    return """
      <svg class="chart" id="\(id)" viewBox="0 0 \(Self.width) \(Self.height)" role="img" tabindex="0" \
      aria-label="\(label)"><title>\(label)</title>\(parts)\
      <line class="cursor" x1="0" x2="0" y1="\(Self.top)" y2="\(Self.height - Self.bottom)"/></svg>
      """
  }

  // MARK: Places

  private var plotWidth: Double { Self.width - Self.left - right }

  private func x(_ place: Double, _ steps: ChartScale) -> Double {
    Self.left + plotWidth * steps.place(place)
  }

  private func y(_ value: Double, _ scale: ChartScale) -> Double {
    Self.top + (Self.height - Self.top - Self.bottom) * (1 - scale.place(value))
  }

  // MARK: Parts

  private func horizontalLine(_ style: HTML, _ y: Double) -> HTML {
    """
    <line class="\(style)" x1="\(Self.left)" x2="\(Self.width - right)" y1="\(y)" y2="\(y)"/>
    """
  }

  private func horizontalTick(_ value: Double, _ scale: ChartScale) -> HTML {
    let y = y(value, scale)
    return """
      \(horizontalLine("grid", y))<text class="tick" x="\(Self.left - 6)" y="\(y + 3.5)" \
      text-anchor="end">\(value.inReport)</text>
      """
  }

  private func svg(of mark: Mark, _ steps: ChartScale) -> HTML {
    let x = x(places[mark.place], steps)
    return """
      <g class="mark \(mark.severity.rawValue)"><line x1="\(x)" x2="\(x)" y1="\(Self.top)" \
      y2="\(Self.height - Self.bottom)"/><path d="M\(x - 4) \(Self.top - 6)h8l-4 6z"/>\
      <title>\(mark.words)</title></g>
      """
  }

  /// A line through the places that are drawn, with a gap where there is no value.
  private func path(_ line: Line, _ scale: ChartScale, _ steps: ChartScale) -> HTML {
    var points = ""
    var isDrawing = false
    for place in drawnPlaces {
      guard let value = line.values[place], value.isFinite else {
        isDrawing = false
        continue
      }
      let (x, y) = (x(places[place], steps).asCoordinate, y(value, scale).asCoordinate)
      points += isDrawing ? " \(x) \(y)" : "M\(x) \(y)L\(x) \(y)"
      isDrawing = true
    }
    return "<path class=\"line \(line.style)\" d=\"\(points)\"/>"
  }

  /// At most ``pointLimit`` places, evenly spaced, and those with findings and beside them.
  private var drawnPlaces: [Int] {
    guard places.count > pointLimit else { return Array(places.indices) }
    let step = (places.count + pointLimit - 1) / pointLimit
    var drawn = Set(stride(from: 0, to: places.count, by: step))
    drawn.insert(places.count - 1)
    for mark in marks {
      drawn.formUnion(max(mark.place - 1, 0)...min(mark.place + 1, places.count - 1))
    }
    return drawn.sorted()
  }

  /// The names at the ends of lines, moved apart where they would meet.
  private func names(_ scale: ChartScale) -> HTML {
    var ends = lines.compactMap { line in
      line.values.last(where: { $0 != nil }).flatMap(\.self).map { (y: y($0, scale), line: line) }
    }.sorted { $0.y < $1.y }
    let gap = 12.0
    for index in ends.indices.dropFirst() {
      ends[index].y = max(ends[index].y, ends[index - 1].y + gap)
    }
    let limit = Self.height - Self.bottom - 2
    for index in ends.indices.reversed() {
      let bound = index + 1 < ends.count ? ends[index + 1].y - gap : limit
      ends[index].y = min(ends[index].y, bound)
    }
    return HTML(
      ends.map { end in
        """
        <text class="end \(end.line.style)" x="\(Self.width - right + 5)" y="\(end.y + 3.5)">\
        \(end.line.name)</text>
        """
      })
  }

  // MARK: Values

  /// The values, for the cursor that a script shows.
  func write(to json: inout JSONWriter) {
    guard let scale else { return }
    json.key(id)
    json.beginObject()
    json.member("log", scale.isLogarithmic)
    json.numbers("y", [scale.low, scale.high])
    json.numbers(
      "box",
      [
        Self.left / Self.width, (Self.width - right) / Self.width, Self.top / Self.height,
        (Self.height - Self.bottom) / Self.height,
      ])
    json.numbers("x", [steps.low, steps.high])
    if hasOwnPlaces { json.numbers("places", places) }
    json.member("names", lines.map(\.name))
    if let map {
      json.member("map", map.id)
      json.member("rows", map.rows)
    } else {
      json.key("values")
      json.beginArray()
      for line in lines { json.rounded(line.values) }
      json.endArray()
    }
    json.endObject()
  }
}

/// The horizontal axis with the steps of a run.
struct AxisOfSteps {
  private let steps: ChartScale
  private let height: Double
  private let right: Double

  init(_ steps: ChartScale, height: Double, right: Double = 12) {
    self.steps = steps
    self.height = height
    self.right = right
  }

  var svg: HTML {
    let baseline = height - LineChart.bottom
    let width = LineChart.width - LineChart.left - right
    var parts: [HTML] = [
      """
      <line class="axis" x1="\(LineChart.left)" x2="\(LineChart.width - right)" y1="\(baseline)" \
      y2="\(baseline)"/>
      """
    ]
    for tick in steps.ticks(3) where tick == tick.rounded() {
      let x = LineChart.left + width * steps.place(tick)
      parts.append(
        """
        <text class="tick" x="\(x)" y="\(height - 6)" text-anchor="middle">\(tick.asStep)</text>\
        <line class="tickmark" x1="\(x)" x2="\(x)" y1="\(baseline)" y2="\(baseline + 3)"/>
        """)
    }
    return HTML(parts)
  }
}

extension ChartScale {
  /// The scale of the steps of a run, of which there is at least one.
  init(steps: [Double]) {
    let (first, last) = (steps.first ?? 0, steps.last ?? 0)
    self = first < last ? ChartScale(first, last) : ChartScale(first - 1, first + 1)
  }
}

extension Double {
  /// A step at an axis: thousands as `k`.
  var asStep: String {
    let step = Int(self)
    guard step >= 1000 else { return String(step) }
    return step % 1000 == 0 ? "\(step / 1000)k" : (self / 1000).inReport + "k"
  }
}

extension JSONWriter {
  /// Writes a member whose value is an array of numbers.
  mutating func numbers(_ name: String, _ values: [Double]) {
    key(name)
    beginArray()
    for value in values { anyNumber(value) }
    endArray()
  }

  /// Writes an array of numbers with four digits, `null` for none.
  mutating func rounded(_ values: [Double?]) {
    beginArray()
    for value in values {
      if let value, value.isFinite { number(value.rounded(digits: 4)) } else { null() }
    }
    endArray()
  }
}

extension Double {
  /// The number with so many significant digits.
  fileprivate func rounded(digits: Int) -> Double {
    Double(ShortNumber.text(self, digits: digits)) ?? self
  }
}

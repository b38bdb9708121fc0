internal import CkptBase
internal import CkptJSON

/// Values of several rows over the steps of a run as a picture, with the values packed for the cursor.
struct HeatMap {
  let id: String
  /// The words for people who do not see it.
  let label: String
  /// The names of the rows, the lowest first.
  let names: [String]
  /// For each row, the lowest first, one value for each place, or none.
  let rows: [[Double?]]
  /// The steps, or what else stands at the horizontal axis.
  let places: [Double]
  /// The range of the colors; `nil` for that of the values.
  var range: ClosedRange<Double>?
  var isLogarithmic = true
  var height = 150.0
  /// Whether the rows are steps too.
  var isSquare = false

  /// The most columns of the picture; of several steps in one, the largest value counts.
  private static let columnLimit = 160
  /// The number of levels of the packed values, above which stands that there is none.
  private static let levels = 4095

  private static func bucket(_ count: Int) -> Int { (count + columnLimit - 1) / columnLimit }

  /// The rows with at most ``columnLimit`` columns; those of a square map thinned alike.
  private var cells: [[Double?]] {
    let size = Self.bucket(places.count)
    let columns = rows.map { row in
      stride(from: 0, to: row.count, by: max(size, 1)).map { start in
        row[start..<min(start + size, row.count)].compactMap(\.self).filter(\.isFinite).max()
      }
    }
    guard isSquare, size > 1 else { return columns }
    return stride(from: 0, to: columns.count, by: size).map { columns[$0] }
  }

  private func scale(_ cells: [[Double?]]) -> ChartScale? {
    let values = cells.lazy.flatMap(\.self).compactMap(\.self)
    guard let low = range?.lowerBound ?? values.min(), let high = range?.upperBound ?? values.max()
    else { return nil }
    let isLogarithmic = isLogarithmic && low > 0
    guard low < high else { return ChartScale(low, low + 1, isLogarithmic: false) }
    return ChartScale(low, high, isLogarithmic: isLogarithmic)
  }

  /// The smallest and the largest value of the colors.
  var limits: (low: Double, high: Double)? {
    scale(cells).map { ($0.low, $0.high) }
  }

  /// The picture; empty without values.
  var svg: HTML {
    let cells = cells
    guard let scale = scale(cells), !cells.isEmpty else { return "" }
    let top = 4.0
    let plotHeight = height - LineChart.bottom - top
    let plotWidth = LineChart.width - LineChart.left - 12
    let picture = IndexedPNG.address(
      cells.reversed().map { row in
        row.map { value in
          value.map { UInt8(Double(IndexedPNG.levels - 1) * scale.place($0)) } ?? IndexedPNG.none
        }
      })
    let shown = Set([0, names.count / 2, names.count - 1])
    let labels = shown.sorted().map { row -> HTML in
      let y = top + plotHeight * (1 - (Double(row) + 0.5) / Double(names.count))
      return """
        <text class="tick" x="\(LineChart.left - 6)" y="\(y + 3.5)" text-anchor="end">\(names[row])</text>
        """
    }
    return """
      <svg class="chart heat" id="\(id)" viewBox="0 0 \(LineChart.width) \(height)" role="img" \
      tabindex="0" aria-label="\(label)"><title>\(label)</title>\
      <image href="\(picture)" x="\(LineChart.left)" y="\(top)" width="\(plotWidth)" \
      height="\(plotHeight)" preserveAspectRatio="none"/>\(labels)\
      \(axis)\
      <line class="cursor" x1="0" x2="0" y1="\(top)" y2="\(height - LineChart.bottom)"/></svg>
      """
  }

  /// The steps of the first and last column and of two between them; columns are as wide as each other,
  /// whatever the distance of their steps.
  private var axis: HTML {
    let width = LineChart.width - LineChart.left - 12
    let shown = Set((0..<4).map { $0 * (places.count - 1) / 3 }).sorted()
    return HTML(
      shown.map { place in
        let x = LineChart.left + width * (Double(place) + 0.5) / Double(places.count)
        return """
          <text class="tick" x="\(x)" y="\(height - 6)" text-anchor="middle">\
          \(places[place].asStep)</text>
          """
      })
  }

  /// The bar that says which color stands for which value.
  func legend(_ words: String) -> HTML {
    guard let limits else { return "" }
    return """
      <div class="scale"><span>\(limits.low.inReport)</span><i></i><span>\(limits.high.inReport)</span>\
      <span class="muted">\(words)</span></div>
      """
  }

  /// The values, for the cursor that a script shows: 12 bits each, deflated.
  func write(to json: inout JSONWriter) {
    let cells = cells
    guard let scale = scale(cells), let columns = cells.first?.count else { return }
    json.key(id)
    json.beginObject()
    json.member("log", scale.isLogarithmic)
    json.numbers("y", [scale.low, scale.high])
    json.numbers(
      "box",
      [
        LineChart.left / LineChart.width, (LineChart.width - 12) / LineChart.width, 4 / height,
        (height - LineChart.bottom) / height,
      ])
    json.member(
      "names", isSquare ? cells.indices.map { names[$0 * Self.bucket(places.count)] } : names)
    json.member("columns", columns)
    json.member("size", Self.bucket(places.count))
    json.member("values", packed(cells, scale))
    json.endObject()
  }

  /// The levels of the values as differences within each row, which deflate well.
  private func packed(_ cells: [[Double?]], _ scale: ChartScale) -> String {
    var bytes: [UInt8] = []
    for row in cells {
      var before = 0
      for value in row {
        let level = value.map { Int(Double(Self.levels - 1) * scale.place($0)) } ?? Self.levels
        let difference = (level - before) & 0xfff
        bytes += [UInt8(truncatingIfNeeded: difference), UInt8(difference >> 8)]
        before = level
      }
    }
    let room = bytes.count + bytes.count / 100 + 64
    return Base64.encode(Deflater.deflate(bytes.span, limit: room) ?? [], .standard)
  }
}

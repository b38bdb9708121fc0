internal import CkptCopy

/// Distributions of magnitudes at several steps, one in front of the other.
struct Ridgelines {
  /// A distribution.
  struct Ridge {
    let step: Double
    let histogram: MagnitudeHistogram

    var total: Double { Double(histogram.counts.reduce(0, +)) }

    /// The share of the elements with that exponent.
    func share(_ exponent: Int) -> Double {
      let place = exponent - histogram.first
      guard histogram.counts.indices.contains(place), total > 0 else { return 0 }
      return Double(histogram.counts[place]) / total
    }
  }

  let label: String
  /// The distributions, that of the first step first; it stands behind.
  let ridges: [Ridge]

  private static let height = 236.0
  /// The height of the highest ridge, and the room above the last one.
  private static let peak = 44.0
  /// The share below which the ends of a distribution are not shown.
  private static let leastShare = 1e-4
  /// The most exponents that are shown.
  private static let exponentLimit = 48

  private var exponents: ClosedRange<Int>? {
    var (low, high) = (Int.max, Int.min)
    for ridge in ridges {
      let first = ridge.histogram.first
      for exponent in first..<first + ridge.histogram.counts.count
      where ridge.share(exponent) >= Self.leastShare {
        (low, high) = (min(low, exponent), max(high, exponent))
      }
    }
    guard low <= high else { return nil }
    return max(low - 1, high + 1 - Self.exponentLimit)...(high + 1)
  }

  /// The picture; empty without elements.
  var svg: HTML {
    guard let exponents,
      let top = ridges.lazy.flatMap({ ridge in
        exponents.map { ridge.share($0) }
      }).max(), top > 0
    else { return "" }
    let baseline = Self.height - LineChart.bottom
    let width = LineChart.width - LineChart.left - 12
    let span = Double(exponents.upperBound - exponents.lowerBound)
    func x(_ exponent: Int) -> Double {
      LineChart.left + width * Double(exponent - exponents.lowerBound) / span
    }
    var parts: [HTML] = []
    let step = max(2, (exponents.count / 8 + 1) / 2 * 2)
    for exponent in exponents where exponent % step == 0 {
      let power = exponent < 0 ? "−\(-exponent)" : "\(exponent)"
      parts.append(
        """
        <line class="grid" x1="\(x(exponent))" x2="\(x(exponent))" y1="8" y2="\(baseline)"/>\
        <text class="tick" x="\(x(exponent))" y="\(Self.height - 6)" text-anchor="middle">2<tspan \
        dy="-4" class="power">\(power)</tspan></text>
        """)
    }
    for (number, ridge) in ridges.enumerated() {
      let share = Double(number + 1) / Double(ridges.count)
      let y = Self.peak + (baseline - Self.peak - 2) * share
      var outline = "M\(x(exponents.lowerBound).asCoordinate) \(y.asCoordinate)"
      for exponent in exponents {
        outline +=
          "L\(x(exponent).asCoordinate) "
          + (y - (Self.peak - 4) * ridge.share(exponent) / top).asCoordinate
      }
      outline += "L\(x(exponents.upperBound).asCoordinate) \(y.asCoordinate)"
      let depth = ridges.count > 1 ? 15 * number / (ridges.count - 1) : 15
      parts.append(
        """
        <path class="ridge d\(depth)" d="\(outline)"/><text class="tick" x="\(LineChart.left - 6)" \
        y="\(y + 1)" text-anchor="end">\(ridge.step.asStep)</text>
        """)
    }
    return """
      <svg class="chart" viewBox="0 0 \(LineChart.width) \(Self.height)" role="img" \
      aria-label="\(label)"><title>\(label)</title>\(parts)</svg>
      """
  }
}

/// A line of a few pixels in a table, over the steps of a run.
struct Sparkline {
  let values: [Double?]

  private static let (width, height) = (96.0, 20.0)
  private static let pointLimit = 24

  /// The picture; empty without values.
  var svg: HTML {
    let step = max(1, (values.count + Self.pointLimit - 1) / Self.pointLimit)
    var places = Array(stride(from: 0, to: values.count, by: step))
    if let last = values.indices.last, places.last != last { places.append(last) }
    let points = places.compactMap { place in
      values[place].flatMap { $0.isFinite ? (place: place, value: $0) : nil }
    }
    guard let low = points.map(\.value).min(), let high = points.map(\.value).max() else {
      return ""
    }
    let scale = ChartScale(low, low < high ? high : low + max(abs(low), 1e-300))
    let span = Double(max(values.count - 1, 1))
    let path = points.enumerated().map { number, point in
      let x = 1 + (Self.width - 4) * Double(point.place) / span
      let y = Self.height - 3 - (Self.height - 6) * scale.place(point.value)
      return "\(number == 0 ? "M" : "L")\(x.asCoordinate) \(y.asCoordinate)"
    }.joined()
    return """
      <svg class="spark" viewBox="0 0 \(Self.width) \(Self.height)" aria-hidden="true">\
      <path d="\(path)"/></svg>
      """
  }
}

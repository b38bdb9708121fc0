internal import CkptBase

/// The range of numbers that an axis shows, and where each of them lies on it.
struct ChartScale {
  let low: Double
  let high: Double
  /// Whether equal ratios, and not equal differences, are equally long.
  let isLogarithmic: Bool

  /// A scale from one number to another.
  init(_ low: Double, _ high: Double, isLogarithmic: Bool = false) {
    self.low = low
    self.high = high
    self.isLogarithmic = isLogarithmic
  }

  /// Creates a scale that covers all `values` with a margin; `nil` without values.
  ///
  /// It is logarithmic only if all values are positive.
  init?(covering values: some Sequence<Double>, isLogarithmic: Bool) {
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values where value.isFinite { (low, high) = (min(low, value), max(high, value)) }
    guard low <= high else { return nil }
    if isLogarithmic, low > 0 {
      let margin = low < high ? ((high / low).naturalLogarithm * 0.06).exponential : 1.5
      self.init(low / margin, high * margin, isLogarithmic: true)
    } else {
      let margin = low < high ? (high - low) * 0.07 : max(abs(low) * 0.1, 1e-9)
      self.init(low - margin, high + margin)
    }
  }

  /// The place of a number between 0 and 1, which others than those in the range are moved to.
  func place(_ value: Double) -> Double {
    let share =
      isLogarithmic
      ? (max(value, low).naturalLogarithm - low.naturalLogarithm)
        / (high.naturalLogarithm - low.naturalLogarithm)
      : (value - low) / (high - low)
    return share.isNaN ? 0 : min(max(share, 0), 1)
  }

  /// The numbers to write at the axis: round ones, about `count` of them.
  func ticks(_ count: Int) -> [Double] {
    guard isLogarithmic else { return Self.linearTicks(low, high, count) }
    let exponents =
      Int(low.decimalLogarithm.rounded(.down))...Int(high.decimalLogarithm.rounded(.up))
    for factors in [[1.0], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7]] {
      let ticks = exponents.flatMap { exponent in
        factors.map { $0 * Double.powerOfTen(exponent) }
      }.filter { low <= $0 && $0 <= high }
      if ticks.count >= 3 || factors.count == 7 {
        return Self.thinned(ticks, to: 2 * count)
      }
    }
    return []
  }

  private static func linearTicks(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    let raw = (high - low) / Double(count)
    guard raw > 0, raw.isFinite else { return [] }
    let power = Double.powerOfTen(Int(raw.decimalLogarithm.rounded(.down)))
    let step = [1.0, 2, 2.5, 5, 10].map { $0 * power }.min { abs($0 - raw) < abs($1 - raw) } ?? raw
    var ticks: [Double] = []
    var number = (low / step - 1e-9).rounded(.up)
    while number * step <= high + 1e-9 * step, ticks.count <= 4 * count {
      ticks.append(number == 0 ? 0 : number * step)
      number += 1
    }
    return ticks
  }

  private static func thinned(_ ticks: [Double], to count: Int) -> [Double] {
    let step = (ticks.count + count - 1) / max(count, 1)
    return ticks.enumerated().filter { $0.offset % max(step, 1) == 0 }.map(\.element)
  }
}

extension Double {
  /// The double next to a power of ten.
  fileprivate static func powerOfTen(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? 0 }

  /// The number as it stands at an axis or in a table of a report.
  var inReport: String { ShortNumber.text(self, digits: 3) }
}

extension Optional<Double> {
  /// The number, or a dash for none.
  var inReport: String { map { $0.inReport } ?? "–" }
}

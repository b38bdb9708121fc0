/// The way of the weights through the plane that shows most of it.
///
/// The plane has the first two principal axes of the checkpoints: the eigenvectors of their centered
/// matrix of inner products, which power iteration finds.
struct WeightPath {
  /// The place of each checkpoint in the plane.
  let places: [(x: Double, y: Double)]
  /// The part of the variance that the plane shows.
  let share: Double

  private static let iterations = 300

  /// The path of checkpoints whose weights have these inner products; `nil` for fewer than three.
  init?(products: [[Double]]) {
    let count = products.count
    guard count >= 3 else { return nil }
    let means = products.map { $0.reduce(0, +) / Double(count) }
    let mean = means.reduce(0, +) / Double(count)
    var matrix = products
    for row in 0..<count {
      for column in 0..<count { matrix[row][column] += mean - means[row] - means[column] }
    }
    let total = (0..<count).reduce(0) { $0 + matrix[$1][$1] }
    guard total > 0, total.isFinite else { return nil }
    var axes: [(value: Double, vector: [Double])] = []
    for number in 0..<2 {
      let axis = Self.largestAxis(of: matrix, start: number)
      axes.append(axis)
      for row in 0..<count {
        for column in 0..<count {
          matrix[row][column] -= axis.value * axis.vector[row] * axis.vector[column]
        }
      }
    }
    let scales = axes.map { max($0.value, 0).squareRoot() }
    places = (0..<count).map { row in
      (x: scales[0] * axes[0].vector[row], y: scales[1] * axes[1].vector[row])
    }
    share = min(axes.reduce(0) { $0 + max($1.value, 0) } / total, 1)
  }

  private static func largestAxis(
    of matrix: [[Double]], start: Int
  ) -> (value: Double, vector: [Double]) {
    let count = matrix.count
    // Neither axis is likely to be at a right angle to this.
    var vector = (0..<count).map { Double($0 * (start + 1) % count) - Double(count - 1) / 2 + 0.1 }
    var value = 0.0
    for _ in 0..<iterations {
      let product = matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
      let norm = product.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 0, norm.isFinite else { return (0, vector.map { _ in 0 }) }
      value = norm
      vector = product.map { $0 / norm }
    }
    // The first checkpoint is on the left.
    if vector[0] > 0 { vector = vector.map { -$0 } }
    return (value, vector)
  }

  /// The picture, with the checkpoints in `marked` marked and some of `steps` written beside.
  func svg(label: String, steps: [Double], marked: Set<Int>) -> HTML {
    let (width, height, margin) = (LineChart.width, 190.0, 26.0)
    let (lowX, highX) = (places.map(\.x).min() ?? 0, places.map(\.x).max() ?? 0)
    let (lowY, highY) = (places.map(\.y).min() ?? 0, places.map(\.y).max() ?? 0)
    // Both axes have one scale, so that angles are what they are.
    let unit = max((highX - lowX) / (width - 2 * margin), (highY - lowY) / (height - 2 * margin))
    let scale = unit > 0 ? 1 / unit : 0
    let points = places.map { place in
      (
        x: width / 2 + (place.x - (lowX + highX) / 2) * scale,
        y: height / 2 - (place.y - (lowY + highY) / 2) * scale
      )
    }
    var parts: [HTML] = []
    for (number, (from, to)) in zip(points, points.dropFirst()).enumerated() {
      let depth = 15 * number / max(points.count - 2, 1)
      parts.append(
        """
        <line class="way d\(depth)" x1="\(from.x)" y1="\(from.y)" x2="\(to.x)" y2="\(to.y)"/>
        """)
    }
    let labels = Set((0..<5).map { $0 * (points.count - 1) / 4 })
    for (number, point) in points.enumerated() {
      let depth = 15 * number / max(points.count - 1, 1)
      let style: HTML = marked.contains(number) ? " warn" : ""
      parts.append(
        """
        <circle class="stop d\(depth)\(style)" cx="\(point.x)" cy="\(point.y)" r="2.2"/>
        """)
      guard labels.contains(number) else { continue }
      parts.append(
        """
        <text class="tick" x="\(point.x)" y="\(point.y - 7)" text-anchor="middle">\
        \(steps[number].asStep)</text>
        """)
    }
    return """
      <svg class="chart" viewBox="0 0 \(width) \(height)" role="img" aria-label="\(label)">\
      <title>\(label)</title><rect class="frame" x="1" y="1" width="\(width - 2)" \
      height="\(height - 2)"/>\(parts)</svg>
      """
  }
}

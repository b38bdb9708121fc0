public import CkptBase
internal import CkptJSON

/// Losses by step from a training log.
public struct RunMetrics: Hashable, Sendable {
  /// A loss over the steps.
  public struct Series: Hashable, Sendable {
    /// The name of the column.
    public let name: String
    /// The steps, ascending, and the values.
    public internal(set) var points: [Point] = []
  }

  /// A value at a step.
  public struct Point: Hashable, Sendable {
    /// The step.
    public let step: Int
    /// The value.
    public let value: Double
  }

  /// The columns whose names end like a loss, in their order.
  public internal(set) var series: [Series] = []

  private static let stepNames: Set = ["step", "_step"]
  private static let lossEndings = ["CrossEntropyLoss", "loss"]
  private static let largestByteCount = 1 << 30

  /// No losses.
  public init() {}

  /// Reads a log: CSV with a line of names, or JSON with an object on each line; the step has the name
  /// `step` or `_step`.
  ///
  /// - Throws: `malformed` for another text, `inputOutput` when the file cannot be read.
  public init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path)
      .contents(of: "a training log", atMost: Self.largestByteCount)
    self = try CheckpointError.within(path) { () throws(CheckpointError) in
      try RunMetrics(reading: bytes)
    }
  }

  /// Reads the text of a log.
  ///
  /// - Throws: `malformed` for another text, and for one without steps or losses.
  init(reading bytes: [UInt8]) throws(CheckpointError) {
    let space: Set<UInt8> = [0x20, 0x09, 0x0a, 0x0d]
    switch bytes.first(where: { !space.contains($0) }) {
    case UInt8(ascii: "{")?, UInt8(ascii: "[")?: try readJSON(bytes)
    default: try readCSV(bytes)
    }
    for index in series.indices { series[index].points.sort { $0.step < $1.step } }
    guard !series.isEmpty else {
      throw CheckpointError(
        .malformed, "no column has a name that ends in 'loss' or 'CrossEntropyLoss'")
    }
  }

  private static func isLoss(_ name: String) -> Bool {
    lossEndings.contains { name.hasSuffix($0) }
  }

  /// Adds a value to a series; NaN and infinities are left out.
  mutating func add(_ name: String, _ point: Point) {
    guard point.value.isFinite else { return }
    if let place = series.firstIndex(where: { $0.name == name }) {
      series[place].points.append(point)
    } else {
      series.append(Series(name: name, points: [point]))
    }
  }

  // MARK: CSV

  private mutating func readCSV(_ bytes: [UInt8]) throws(CheckpointError) {
    var lines = bytes.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }).makeIterator()
    let header = lines.next().map { Self.cells($0) } ?? []
    guard let stepColumn = header.firstIndex(where: { Self.stepNames.contains($0) }) else {
      throw CheckpointError(
        .malformed, "the first line has no column 'step' or '_step'",
        remedy: "give a CSV with a line of names, or JSON with an object on each line")
    }
    let losses = header.indices.filter { Self.isLoss(header[$0]) }
    while let line = lines.next() {
      let cells = Self.cells(line)
      guard cells.count > stepColumn, let step = Double(cells[stepColumn]),
        let step = Int(exactly: step.rounded())
      else { continue }
      for column in losses where column < cells.count {
        guard let value = Double(cells[column]) else { continue }
        add(header[column], Point(step: step, value: value))
      }
    }
  }

  /// The cells of a line of CSV (RFC 4180).
  private static func cells(_ line: ArraySlice<UInt8>) -> [String] {
    var cells: [String] = []
    var cell: [UInt8] = []
    var isQuoted = false
    var place = line.startIndex
    while place < line.endIndex {
      let byte = line[place]
      let next = line.index(after: place)
      if byte == UInt8(ascii: "\"") {
        if isQuoted, next < line.endIndex, line[next] == byte {
          cell.append(byte)
          place = next
        } else {
          isQuoted.toggle()
        }
      } else if byte == UInt8(ascii: ","), !isQuoted {
        cells.append(String(decoding: cell, as: UTF8.self))
        cell = []
      } else {
        cell.append(byte)
      }
      place = line.index(after: place)
    }
    return cells + [String(decoding: cell, as: UTF8.self)]
  }

  // MARK: JSON

  private mutating func readJSON(_ bytes: [UInt8]) throws(CheckpointError) {
    if bytes.first == UInt8(ascii: "[") {
      var json = JSONReader(bytes.span)
      try json.beginArray()
      while try json.nextElement() { try readObject(&json) }
      return try json.end()
    }
    var start = 0
    for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      defer { start += line.count + 1 }
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      var json = JSONReader(line.span, base: start)
      try readObject(&json)
      try json.end()
    }
  }

  private mutating func readObject(_ json: inout JSONReader) throws(CheckpointError) {
    var step: Int?
    var found: [(name: String, value: Double)] = []
    try json.beginObject()
    while let key = try json.nextKey() {
      let byte = try json.peek()
      guard byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) else {
        try json.skipValue()
        continue
      }
      let value = try json.anyNumber()
      if Self.stepNames.contains(key) { step = Int(exactly: value.rounded()) }
      if Self.isLoss(key) { found.append((key, value)) }
    }
    guard let step else { return }
    for (name, value) in found { add(name, Point(step: step, value: value)) }
  }
}

extension RunMetrics.Series {
  /// The largest and the smallest number of values that a value is judged by.
  private static var memory: (most: Int, least: Int) { (1000, 32) }
  /// The number of standard deviations that makes a spike.
  private static var spike: Double { 7 }

  /// The share of values that are at least seven standard deviations from the mean of the thousand before
  /// them: the spike score of OLMo 2 (2501.00656); `nil` for a short log.
  public var spikeScore: Double? {
    guard points.count > Self.memory.least else { return nil }
    var (sum, squares, count) = (0.0, 0.0, 0)
    // Distances from the first value keep the sums small.
    let origin = points[0].value
    var (spikes, judged) = (0, 0)
    for (place, point) in points.enumerated() {
      let value = point.value - origin
      if count >= Self.memory.least {
        let mean = sum / Double(count)
        let variance = max(squares / Double(count) - mean * mean, 0)
        judged += 1
        if variance > 0, abs(value - mean) >= Self.spike * variance.squareRoot() { spikes += 1 }
      }
      sum += value
      squares += value * value
      count += 1
      if count > Self.memory.most {
        let old = points[place - Self.memory.most].value - origin
        sum -= old
        squares -= old * old
        count -= 1
      }
    }
    return judged > 0 ? Double(spikes) / Double(judged) : nil
  }

  /// At most `limit` points, of which those with the smallest and the largest value of each stretch are
  /// kept.
  func thinned(to limit: Int) -> [RunMetrics.Point] {
    guard points.count > limit else { return points }
    let size = (2 * points.count + limit - 1) / limit
    return stride(from: 0, to: points.count, by: size).flatMap { start in
      let part = points[start..<min(start + size, points.count)]
      let ends = [part.min { $0.value < $1.value }, part.max { $0.value < $1.value }]
      let kept = ends.compactMap(\.self).sorted { $0.step < $1.step }
      return kept[0].step == kept[1].step ? [kept[1]] : kept
    }
  }
}

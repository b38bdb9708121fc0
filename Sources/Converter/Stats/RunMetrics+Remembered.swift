internal import CkptBase
internal import CkptCheckpoints
internal import CkptGraph
internal import CkptJSON

/// The losses that OLMo-core keeps in its trainer's state, in `train/rank0.pt`.
extension RunMetrics {
  private static let callbacks = "callbacks"
  private static let history = "loss_history"
  private static let name = "loss"

  /// Reads the losses in a trainer's state of the step `last`, of which the newest is of that step
  /// (`olmo_core/train/callbacks/stability_monitor.py`).
  init(rememberedIn graph: TensorGraph, until last: Int) {
    guard let callbacks = graph.value(of: Self.callbacks, in: graph.root) else { return }
    for callback in graph.entries(of: callbacks) ?? [] {
      guard let history = graph.value(of: Self.history, in: callback.value) else { continue }
      let values = graph.elements(of: history) ?? []
      guard last >= values.count else { return }
      for (place, value) in values.enumerated() {
        guard case .float(let loss) = graph[value] else { continue }
        add(Self.name, Point(step: last - values.count + 1 + place, value: loss))
      }
      return
    }
  }

  /// Takes over the losses of another checkpoint, in place of those of the same steps.
  mutating func add(_ other: RunMetrics) {
    for found in other.series {
      let steps = found.points.map(\.step)
      guard let first = steps.min(), let last = steps.max() else { continue }
      guard let place = series.firstIndex(where: { $0.name == found.name }) else {
        series.append(found)
        continue
      }
      let kept = series[place].points.filter { !(first...last).contains($0.step) }
      series[place].points = (kept + found.points).sorted { $0.step < $1.step }
    }
  }

  // MARK: JSON

  /// Writes an object with pairs of a step and a value for each name.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    for found in series {
      json.key(found.name)
      json.beginArray()
      for point in found.points {
        json.beginArray()
        json.integer(point.step)
        json.anyNumber(point.value)
        json.endArray()
      }
      json.endArray()
    }
    json.endObject()
  }

  /// Reads what ``write(to:)`` writes.
  ///
  /// - Throws: `malformed` for something else.
  init(reading json: inout JSONReader) throws(CheckpointError) {
    try json.beginObject()
    while let name = try json.nextKey() {
      try json.beginArray()
      while try json.nextElement() {
        let start = json.offset
        try json.beginArray()
        var numbers: [Double] = []
        while try json.nextElement() { numbers.append(try json.anyNumber()) }
        guard numbers.count == 2, let step = Int(exactly: numbers[0]) else {
          throw CheckpointError(.malformed, "expected a step and a loss", at: start)
        }
        add(name, Point(step: step, value: numbers[1]))
      }
    }
  }
}

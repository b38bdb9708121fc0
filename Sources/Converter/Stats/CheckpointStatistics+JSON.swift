internal import CkptBase
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptJSON

extension CheckpointStatistics {
  /// The statistics as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    write(to: &json)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("kind", Self.kind)
    json.member("version", Self.version)
    json.member("path", path)
    json.member("step", optional: step)
    json.key("files")
    json.beginArray()
    for file in files { file.write(to: &json) }
    json.endArray()
    json.member("parameters", parameterCount)
    json.member("vocab_size", optional: vocabularySize)
    json.member("max_grad_norm", optional: gradientLimit)
    if !losses.series.isEmpty {
      json.key("losses")
      losses.write(to: &json)
    }
    json.key("optimizer")
    json.beginObject()
    json.member("name", optimizer)
    json.key("groups")
    json.beginArray()
    for group in groups { StatisticsField<OptimizerSettings>.all.writeObject(group, to: &json) }
    json.endArray()
    json.endObject()
    json.key("tensors")
    json.beginArray()
    for tensor in tensors { tensor.write(to: &json) }
    json.endArray()
    json.key("adam")
    json.beginArray()
    for parameter in parameters { parameter.write(to: &json) }
    json.endArray()
    json.key("modules")
    json.beginObject()
    for (role, module) in modules {
      json.key(role.rawValue)
      StatisticsField<ModuleStatistics>.all.writeObject(module, to: &json)
    }
    json.endObject()
    json.key("total")
    StatisticsField<ModuleStatistics>.all.writeObject(total, to: &json)
    json.endObject()
  }

  static let kind = "checkpoint"
}

extension CheckpointStatistics.TensorRow {
  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("name", name)
    json.member("part", part.rawValue)
    json.member("role", role.rawValue)
    json.member("block", optional: block)
    json.member("dtype", dtype)
    json.member("shape", shape)
    for field in StatisticsField<ElementStatistics>.all { field.write(statistics, to: &json) }
    json.key("histogram")
    if let histogram = statistics.histogram {
      json.beginObject()
      json.member("first", histogram.first)
      json.member("counts", histogram.counts)
      json.endObject()
    } else {
      json.null()
    }
    for (key, axis) in [("rows", statistics.rows), ("columns", statistics.columns)] {
      json.key(key)
      if let axis {
        StatisticsField<AxisNorms>.all.writeObject(axis, to: &json)
      } else {
        json.null()
      }
    }
    json.member("crc32", Int(statistics.crc32))
    if let sketch = statistics.sketch { json.member("sketch", sketch.base64) }
    json.endObject()
  }
}

extension CheckpointStatistics.ParameterRow {
  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("name", name)
    json.member("role", role.rawValue)
    json.member("block", optional: block)
    for field in StatisticsField<Self>.all { field.write(self, to: &json) }
    json.member("bound", optional: settings.rule?.bound)
    json.member("rows_without_update_ranges", statistics.rowRangesWithoutUpdate)
    json.endObject()
  }
}

extension Sketch {
  /// The sums as base64 of little-endian doubles.
  var base64: String {
    var writer = ByteWriter()
    for sum in sums { writer.write(integer: sum.bitPattern) }
    return Base64.encode(writer.bytes, .standard)
  }

  /// Reads the sums from base64; `nil` for another text.
  init?(base64 text: String) {
    guard let bytes = Base64.decode(text, .standard), bytes.count == 8 * Self.count else {
      return nil
    }
    let span = bytes.span
    self.init(sums: (0..<Self.count).map { Double(bitPattern: span.word(at: 8 * $0)) })
  }
}

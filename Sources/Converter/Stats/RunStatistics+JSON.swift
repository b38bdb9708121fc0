internal import CkptBase
internal import CkptJSON

extension RunStatistics {
  /// The run as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("kind", "run")
    json.member("version", CheckpointStatistics.version)
    json.member("checkpoints", rows.count)
    json.key("steps")
    json.beginArray()
    for row in rows { if let step = row.step { json.integer(step) } else { json.null() } }
    json.endArray()
    json.member("paths", rows.map(\.path))
    json.key("findings")
    json.beginArray()
    for finding in findings { finding.write(to: &json) }
    json.endArray()
    json.key("series")
    json.beginObject()
    for field in StatisticsField<StepRow>.all {
      json.series(field.key, rows.map { field.number(of: $0) })
    }
    json.endObject()
    writeModules(to: &json)
    json.member("distances", isExact ? "exact" : "sketch")
    json.key("similarity")
    json.beginArray()
    for row in similarity {
      json.beginArray()
      for cosine in row { json.anyNumber(cosine) }
      json.endArray()
    }
    json.endArray()
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func writeModules(to json: inout JSONWriter) {
    json.key("modules")
    json.beginObject()
    for role in ParameterRole.allCases where modules.contains(where: { $0[role] != nil }) {
      json.key(role.rawValue)
      json.beginObject()
      for field in StatisticsField<ModuleStatistics>.all {
        json.series(
          field.key, modules.map { row in row[role].flatMap { field.number(of: $0.module) } })
      }
      json.series("distance_previous", modules.map { $0[role]?.distance })
      json.series("distance_first", modules.map { $0[role]?.distanceFromFirst })
      json.endObject()
    }
    json.endObject()
  }
}

extension JSONWriter {
  /// Writes a member whose value is an array of numbers, `null` for those that there are not.
  fileprivate mutating func series(_ name: String, _ values: [Double?]) {
    key(name)
    beginArray()
    for value in values { anyNumber(value) }
    endArray()
  }
}

internal import Configs
internal import JSON

extension ConfigTranslation {
  /// The translation as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("source", source)
    json.member("target", target.rawValue)
    json.member("architecture", architecture.rawValue)
    json.member("outputs", files.map(\.path))
    json.key("fields")
    json.beginArray()
    for entry in report.entries {
      json.beginObject()
      json.member("olmo", entry.olmo)
      json.member("hugging_face", entry.huggingFace)
      json.member("status", entry.status.rawValue)
      json.member("value", entry.value)
      json.member("note", entry.note)
      json.member("carried", entry.isCarried)
      json.endObject()
    }
    json.endArray()
    json.member("warnings", report.warnings)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

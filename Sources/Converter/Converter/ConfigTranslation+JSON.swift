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
    report.write(to: &json)
    json.member("warnings", report.warnings)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

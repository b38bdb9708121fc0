internal import Configs
internal import Formats
internal import JSON

extension FolderReport {
  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.key("outputs")
    json.beginArray()
    for output in outputs { output.write(to: &json) }
    json.endArray()
    json.key("configuration")
    configuration.write(to: &json)
    json.member("warnings", allWarnings)
    json.member("notes", notes)
    json.member("trainer_flags", trainerFlags)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

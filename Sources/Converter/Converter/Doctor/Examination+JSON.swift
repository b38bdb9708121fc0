internal import JSON

extension Examination {
  /// The examination as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    json.member("sound", isSound)
    json.key("loads")
    if let loads { json.bool(loads) } else { json.null() }
    json.key("findings")
    json.beginArray()
    for finding in findings {
      json.beginObject()
      json.member("severity", finding.severity.rawValue)
      json.member("topic", finding.topic.rawValue)
      json.member("path", finding.path)
      json.member("message", finding.message)
      json.member("remedy", finding.remedy)
      json.endObject()
    }
    json.endArray()
    json.member("examined", examined)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

internal import JSON
internal import Pickle

extension FileScan {
  /// The whole as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("path", path)
    json.member("bytes", byteCount)
    json.member("format", format)
    json.member("pickles", pickleCount)
    json.key("totals")
    json.beginObject()
    for severity in ScanFinding.Severity.allCases {
      json.member(severity.rawValue, count(severity))
    }
    json.endObject()
    json.key("findings")
    json.beginArray()
    for finding in findings { write(finding, to: &json) }
    json.endArray()
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func write(_ finding: ScanFinding, to json: inout JSONWriter) {
    json.beginObject()
    json.member("severity", finding.severity.rawValue)
    json.member("place", finding.place)
    json.key("offset")
    if let offset = finding.offset { json.integer(offset) } else { json.null() }
    json.member("message", finding.message)
    json.key("global")
    if let global = finding.global { write(global, to: &json) } else { json.null() }
    json.endObject()
  }

  private func write(_ global: GlobalUse, to json: inout JSONWriter) {
    json.beginObject()
    json.member("module", global.module)
    json.member("name", global.name)
    json.member("mentions", global.mentions)
    json.member("calls", global.calls)
    json.member("ways", GlobalUse.Way.allCases.filter(global.ways.contains).map(\.rawValue))
    json.endObject()
  }
}

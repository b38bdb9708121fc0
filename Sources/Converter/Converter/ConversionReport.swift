internal import JSON
public import Formats

/// What a run of conversions did, for scripts.
public struct ConversionReport: Sendable {
  /// The files written.
  public var outputs: [Conversion.Output] = []
  /// The inputs that failed and why.
  public var failures: [(input: String, error: FormatError)] = []

  /// A report of nothing.
  public init() {}

  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.key("outputs")
    json.beginArray()
    for output in outputs {
      json.beginObject()
      json.member("source", output.source)
      json.member("path", output.path)
      json.member("format", output.format?.rawValue)
      json.member("layout", output.layout?.rawValue)
      json.member("tensors", output.tensorCount)
      json.member("aliases", output.aliasCount)
      json.member("bytes", output.byteCount)
      json.member("warnings", output.warnings)
      json.endObject()
    }
    json.endArray()
    json.write(failures)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

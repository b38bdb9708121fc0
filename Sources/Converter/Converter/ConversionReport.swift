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
    for output in outputs { output.write(to: &json) }
    json.endArray()
    json.write(failures)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

extension Conversion.Output {
  /// Writes what is told of a file as an object.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("source", source)
    json.member("path", path)
    json.member("format", format?.rawValue)
    json.member("layout", layout?.rawValue)
    json.member("tensors", tensorCount)
    json.member("aliases", aliasCount)
    json.member("bytes", byteCount)
    json.member("warnings", warnings)
    json.endObject()
  }
}

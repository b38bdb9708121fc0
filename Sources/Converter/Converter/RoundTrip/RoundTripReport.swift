internal import JSON
public import Formats

/// What became of files that were taken there and back, for scripts.
public struct RoundTripReport: Sendable {
  /// What became of each file.
  public var findings: [RoundTrip.Finding] = []
  /// The files that failed and why.
  public var failures: [(input: String, error: FormatError)] = []

  /// A report of nothing.
  public init() {}

  /// The report as one JSON object; `Documentation/json.md` describes its members.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.key("files")
    json.beginArray()
    for finding in findings {
      json.beginObject()
      json.member("path", finding.path)
      json.member("format", finding.format.rawValue)
      json.member("layout", finding.layout.rawValue)
      json.member("verdict", finding.verdict.rawValue)
      json.member("bytes", finding.byteCount)
      json.member("returned_bytes", finding.returnedByteCount)
      json.member("differing_bytes", finding.differingByteCount)
      json.member("lost_bytes", finding.lostByteCount)
      json.member("reasons", finding.reasons)
      json.member("difference_count", finding.differenceCount)
      VerificationReport.write(finding.differences, to: &json)
      json.member("warnings", finding.warnings)
      json.endObject()
    }
    json.endArray()
    json.write(failures)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

internal import CkptJSON

/// Findings in the Static Analysis Results Interchange Format (SARIF 2.1.0, OASIS standard), which code
/// scanning services read.
public struct SarifReport: Sendable {
  /// The version of the program that is named as the tool.
  private let version: String
  private var scans: [FileScan] = []

  /// Makes a report without files.
  public init(version: String) { self.version = version }

  /// Adds the findings of a file.
  public mutating func add(_ scan: FileScan) { scans.append(scan) }

  /// The report as one JSON document.
  public var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.member("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
    json.member("version", "2.1.0")
    json.key("runs")
    json.beginArray()
    json.beginObject()
    writeTool(to: &json)
    json.key("results")
    json.beginArray()
    for scan in scans {
      // What checkpoints are made of is no result of an analysis.
      for finding in scan.findings where finding.severity != .known {
        write(finding, of: scan, to: &json)
      }
    }
    json.endArray()
    json.endObject()
    json.endArray()
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private func writeTool(to json: inout JSONWriter) {
    json.key("tool")
    json.beginObject()
    json.key("driver")
    json.beginObject()
    json.member("name", "ckptconv scan")
    json.member("semanticVersion", version)
    json.key("rules")
    json.beginArray()
    for severity in ScanFinding.Severity.allCases where severity != .known {
      json.beginObject()
      json.member("id", severity.rawValue)
      json.key("shortDescription")
      json.beginObject()
      json.member("text", severity.sentence)
      json.endObject()
      json.key("defaultConfiguration")
      json.beginObject()
      json.member("level", severity.level)
      json.endObject()
      json.endObject()
    }
    json.endArray()
    json.endObject()
    json.endObject()
  }

  private func write(_ finding: ScanFinding, of scan: FileScan, to json: inout JSONWriter) {
    json.beginObject()
    json.member("ruleId", finding.severity.rawValue)
    json.member("level", finding.severity.level)
    json.key("message")
    json.beginObject()
    json.member("text", Self.text(of: finding))
    json.endObject()
    json.key("locations")
    json.beginArray()
    json.beginObject()
    json.key("physicalLocation")
    json.beginObject()
    json.key("artifactLocation")
    json.beginObject()
    json.member("uri", Self.reference(to: scan.path))
    json.endObject()
    // Services show a line, which a binary file does not have.
    json.key("region")
    json.beginObject()
    json.member("startLine", 1)
    json.endObject()
    json.endObject()
    if !finding.place.isEmpty {
      json.key("logicalLocations")
      json.beginArray()
      json.beginObject()
      json.member("fullyQualifiedName", finding.place.joined(separator: ": "))
      json.endObject()
      json.endArray()
    }
    json.endObject()
    json.endArray()
    json.endObject()
  }

  private static func text(of finding: ScanFinding) -> String {
    let offset = finding.offset.map { ["byte 0x\(String($0, radix: 16))"] } ?? []
    return (finding.place + offset + [finding.message]).joined(separator: ": ")
  }

  /// A path as the reference of a URI (RFC 3986, section 3.3).
  private static func reference(to path: String) -> String {
    var text = path.hasPrefix("/") ? "file://" : ""
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"):
        text.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return text
  }
}

extension ScanFinding.Severity {
  /// The level of a result (SARIF 2.1.0, section 3.27.10).
  fileprivate var level: String {
    switch self {
    case .dangerous, .broken: "error"
    case .unread, .suspicious: "warning"
    case .opaque, .known: "note"
    }
  }

  fileprivate var sentence: String {
    switch self {
    case .dangerous: "The file runs code when Python loads it."
    case .broken: "A part of the file cannot be read as what it claims to be."
    case .unread: "A part of the file was not looked at."
    case .suspicious: "Honest programs do not write this."
    case .opaque: "The effects of this class, function or code are not known."
    case .known: "Checkpoints are made of this."
    }
  }
}

internal import Bytes
internal import Graph
internal import JSON

/// Reads what a skeleton says of the archive that its object comes from.
enum SkeletonSource {
  /// Reads the value of `source`.
  ///
  /// - Throws: `malformed` for a value of another form.
  static func read(_ json: inout JSONReader) throws(FormatError) -> TorchArchiveDescription {
    var archive = TorchArchiveDescription(
      isTorchScript: false, prefix: "archive", pickleProtocol: 2, isBigEndian: false,
      hasChecksums: true, records: [])
    try json.beginObject()
    while let key = try json.nextKey() {
      let start = json.offset
      switch key {
      case "container":
        archive.isTorchScript = try choice(&json, ["torch-zip", "torchscript"]) == "torchscript"
      case "prefix": archive.prefix = try json.string()
      case "protocol":
        let version = try json.unsignedInteger()
        guard version <= 5 else {
          throw FormatError(.malformed, "there is no pickle protocol \(version)", at: start)
        }
        archive.pickleProtocol = Int(version)
      case "byteorder": archive.isBigEndian = try choice(&json, ["little", "big"]) == "big"
      case "checksums": archive.hasChecksums = try json.bool()
      case "pickle": archive.pickleBytes = try json.base64(.standard)
      case "records":
        try json.beginArray()
        while try json.nextElement() { archive.records.append(try record(&json)) }
      default: try json.skipValue()
      }
    }
    return archive
  }

  private static func record(
    _ json: inout JSONReader
  ) throws(FormatError) -> TorchArchiveDescription.Record {
    try json.beginArray()
    guard try json.nextElement() else {
      throw FormatError(.malformed, "a record has no name", at: json.offset)
    }
    let name = try json.string()
    guard try json.nextElement() else { return .pickle(name: name) }
    let record: TorchArchiveDescription.Record
    if try json.peek() == UInt8(ascii: "\"") {
      let bytes = try json.base64(.standard)
      guard try json.nextElement() else { return .other(name: name, bytes: bytes) }
      record = .compressed(name: name, bytes: bytes, byteCount: try json.count())
    } else {
      record = .storage(name: name, byteCount: try json.count())
    }
    guard try !json.nextElement() else {
      throw FormatError(.malformed, "record '\(name)' has more parts than it may", at: json.offset)
    }
    return record
  }

  private static func choice(
    _ json: inout JSONReader, _ choices: [String]
  ) throws(FormatError) -> String {
    let start = json.offset
    let word = try json.string()
    guard choices.contains(word) else {
      throw FormatError(
        .malformed, "found '\(word)', expected \(choices.joined(separator: " or "))", at: start)
    }
    return word
  }
}

internal import Codecs
internal import Formats
internal import JSON

extension Manifest {
  /// The version of the format.
  static let version = 1

  /// The manifest as JSON text with one entry on each line, the same for the same contents.
  var bytes: [UInt8] {
    var text = Array("{\"ckptconv_manifest\":\(Self.version),\"files\":[\n".utf8)
    for (index, file) in files.enumerated() {
      if index > 0 { text += Array(",\n".utf8) }
      switch file.content {
      case .bytes(let byteCount, let digest):
        text += Self.line { json in
          json.member("name", file.name)
          json.member("bytes", byteCount)
          json.member("sha256", digest.description)
        }
      case .checkpoint(let structure, let entries):
        // The object is left open for its entries.
        text += Self.line { json in
          json.member("name", file.name)
          json.member("structure", structure?.description)
        }.dropLast()
        text += Array(",\"entries\":[\n".utf8)
        for (index, entry) in entries.enumerated() {
          if index > 0 { text += Array(",\n".utf8) }
          text += Self.line { entry.write(to: &$0) }
        }
        text += Array("\n]}".utf8)
      }
    }
    return text + Array("\n]}\n".utf8)
  }

  private static func line(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    members(&json)
    json.endObject()
    return json.bytes
  }
}

extension Manifest.Entry {
  fileprivate func write(to json: inout JSONWriter) {
    json.member("name", name)
    switch kind {
    case .tensor(let dtype, let shape, let byteCount):
      json.member("dtype", dtype)
      json.member("shape", shape)
      json.member("bytes", byteCount)
    case .value(let text):
      json.member("value", text)
    }
    json.member("sha256", digest?.description)
  }
}

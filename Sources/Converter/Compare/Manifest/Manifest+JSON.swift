internal import CkptBase
internal import CkptFormats
internal import CkptJSON

extension Manifest {
  /// The maximum size of the text, which is read as a whole.
  ///
  /// It limits entries and dimensions too.
  private static let byteLimit = 1 << 30

  /// Reads a manifest.
  ///
  /// - Throws: `malformed` for another file, `unsupported` for a later version, `inputOutput` if
  ///   the file cannot be read; each with the file in its path.
  init(path: String) throws(CheckpointError) {
    let bytes = try FileSource(path: path).contents(of: "a manifest", atMost: Self.byteLimit)
    files = []
    do throws(CheckpointError) {
      try read(bytes)
    } catch {
      throw error.framed(by: path)
    }
  }

  private mutating func read(_ bytes: [UInt8]) throws(CheckpointError) {
    var json = JSONReader(bytes.span)
    var version: UInt64?
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "ckptconv_manifest": version = try json.unsignedInteger()
      case "files":
        try json.beginArray()
        while try json.nextElement() { files.append(try Self.file(&json)) }
      default: try json.skipValue()
      }
    }
    try json.end()
    guard let version else {
      throw CheckpointError(
        .malformed, "this is not a manifest: it has no 'ckptconv_manifest'",
        remedy: .action(.writeManifest))
    }
    guard version == Self.version else {
      throw CheckpointError(
        .unsupported, "this manifest has version \(version); the only known one is \(Self.version)")
    }
  }

  private static func file(_ json: inout JSONReader) throws(CheckpointError) -> File {
    let start = json.offset
    var name: String?
    var structure: SHA256.Digest?
    var entries: [Entry]?
    var byteCount: Int?
    var digest: SHA256.Digest?
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "name": name = try json.string()
      case "structure": structure = try self.digest(&json)
      case "bytes": byteCount = try json.count()
      case "sha256": digest = try self.digest(&json)
      case "entries":
        var list: [Entry] = []
        try json.beginArray()
        while try json.nextElement() { list.append(try entry(&json)) }
        entries = list
      default: try json.skipValue()
      }
    }
    if let name, let entries {
      return File(name: name, content: .checkpoint(structure: structure, entries: entries))
    }
    guard let name, let byteCount, let digest else {
      throw CheckpointError(
        .malformed, "a file needs a name, and entries or bytes and sha256", at: start)
    }
    return File(name: name, content: .bytes(byteCount: byteCount, digest: digest))
  }

  private static func entry(_ json: inout JSONReader) throws(CheckpointError) -> Entry {
    let start = json.offset
    var name: String?
    var (dtype, value): (String?, String?)
    var shape: [Int] = []
    var byteCount = 0
    var digest: SHA256.Digest?
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "name": name = try json.string()
      case "dtype": dtype = try json.string()
      case "value": value = try json.string()
      case "bytes": byteCount = try json.count()
      case "sha256": digest = try self.digest(&json)
      case "shape":
        try json.beginArray()
        while try json.nextElement() { shape.append(try json.count()) }
      default: try json.skipValue()
      }
    }
    guard let name, (dtype == nil) != (value == nil) else {
      throw CheckpointError(.malformed, "an entry needs a name, and a dtype or a value", at: start)
    }
    let kind =
      dtype.map { Entry.Kind.tensor(dtype: $0, shape: shape, byteCount: byteCount) }
      ?? .value(text: value ?? "")
    return Entry(name: name, kind: kind, digest: digest)
  }

  private static func digest(_ json: inout JSONReader) throws(CheckpointError) -> SHA256.Digest? {
    if try json.readNull() { return nil }
    let start = json.offset
    let text = try json.string()
    guard let digest = SHA256.Digest(hexadecimal: text) else {
      throw CheckpointError(
        .malformed, "a SHA-256 must have 64 lower-case hexadecimal digits, found '\(text)'",
        at: start)
    }
    return digest
  }
}

extension Manifest {
  /// The version of the format.
  static let version = 1

  /// The manifest as JSON text, one entry on each line.
  ///
  /// Equal contents give equal text.
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
        // The object stays open for its entries.
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

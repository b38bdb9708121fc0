internal import Bytes
internal import Codecs
internal import Formats
internal import JSON

extension Manifest {
  /// The most dimensions, entries and bytes are bounded by the text itself, which is read whole.
  private static let byteLimit = 1 << 30

  /// Reads a manifest.
  ///
  /// - Throws: `malformed` for what is none, `unsupported` for one of a later version, `inputOutput`
  ///   when the file cannot be read; each with the file in its path.
  init(path: String) throws(FormatError) {
    let bytes = try SourceFile.open(path).contents(of: "a manifest", atMost: Self.byteLimit)
    files = []
    do throws(FormatError) {
      try read(bytes)
    } catch {
      throw error.framed(by: path)
    }
  }

  private mutating func read(_ bytes: [UInt8]) throws(FormatError) {
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
      throw FormatError(
        .malformed, "this is no manifest: it has no 'ckptconv_manifest'",
        hint: "manifests are written by 'ckptconv verify --manifest FILE'")
    }
    guard version == Self.version else {
      throw FormatError(
        .unsupported, "this manifest has version \(version), known is \(Self.version)")
    }
  }

  private static func file(_ json: inout JSONReader) throws(FormatError) -> File {
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
      throw FormatError(
        .malformed, "a file needs a name, and entries or bytes and sha256", at: start)
    }
    return File(name: name, content: .bytes(byteCount: byteCount, digest: digest))
  }

  private static func entry(_ json: inout JSONReader) throws(FormatError) -> Entry {
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
      throw FormatError(.malformed, "an entry needs a name, and a dtype or a value", at: start)
    }
    let kind =
      dtype.map { Entry.Kind.tensor(dtype: $0, shape: shape, byteCount: byteCount) }
      ?? .value(text: value ?? "")
    return Entry(name: name, kind: kind, digest: digest)
  }

  private static func digest(_ json: inout JSONReader) throws(FormatError) -> SHA256.Digest? {
    if try json.readNull() { return nil }
    let start = json.offset
    let text = try json.string()
    guard let digest = SHA256.Digest(hexadecimal: text) else {
      throw FormatError(
        .malformed, "a SHA-256 has 64 lower-case hexadecimal digits, this is '\(text)'", at: start)
    }
    return digest
  }
}

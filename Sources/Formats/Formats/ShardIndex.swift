internal import Bytes
internal import JSON

/// The index of a checkpoint in several files, such as `model.safetensors.index.json`.
///
/// A JSON object: `weight_map` has the name of each tensor and the file it is in, `metadata` may
/// have the size of all tensors as `total_size` (`transformers/modeling_utils.py`,
/// `save_pretrained`).
struct ShardIndex {
  /// Which file each tensor is in.
  private(set) var shards: [ExactString: String] = [:]
  /// The names of the files in their order.
  private(set) var names: [String] = []
  /// The size of all tensors in bytes, where it is told.
  private(set) var announcedByteCount: Int?

  /// Reads an index; `nil` when the JSON text in `file` is none.
  ///
  /// - Throws: `malformed` for an index with entries that cannot be meant, `limitExceeded` for one
  ///   that is too large.
  init?(reading file: SourceFile) throws(FormatError) {
    let bytes = try file.contents(of: "an index of shards", atMost: Limits.indexBytes)
    var isIndex = false
    do throws(FormatError) {
      try read(bytes, &isIndex)
    } catch {
      // Other JSON texts are no business of this reader's, whatever is wrong with them.
      guard isIndex else { return nil }
      throw error
    }
    guard isIndex else { return nil }
    guard !shards.isEmpty else {
      throw FormatError(.malformed, "the weight_map of this index is empty")
    }
    var seen: Set<ExactString> = []
    for name in shards.values where seen.insert(ExactString(name)).inserted { names.append(name) }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private mutating func read(_ bytes: [UInt8], _ isIndex: inout Bool) throws(FormatError) {
    var json = JSONReader(bytes.span)
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "weight_map":
        guard !isIndex else {
          throw FormatError(.malformed, "weight_map is repeated", at: json.offset)
        }
        isIndex = true
        try json.beginObject()
        while let name = try json.nextKey() { try readEntry(name, &json) }
      case "metadata" where try json.peek() == UInt8(ascii: "{"):
        try json.beginObject()
        while let key = try json.nextKey() {
          if key == "total_size" { try readSize(&json) } else { try json.skipValue() }
        }
      default: try json.skipValue()
      }
    }
    try json.end()
  }

  private mutating func readEntry(
    _ name: String, _ json: inout JSONReader
  ) throws(FormatError) {
    let place = json.offset
    let shard = try FormatError.within("tensor '\(name)'") { () throws(FormatError) in
      try json.string()
    }
    guard shards.updateValue(shard, forKey: ExactString(name)) == nil else {
      throw FormatError(.malformed, "the index has tensor '\(name)' twice", at: place)
    }
    guard Self.isFileName(shard) else {
      throw FormatError(
        .malformed, "tensor '\(name)' is said to be in '\(shard)', which is not the name of a file",
        at: place, hint: "the shards of a checkpoint lie in the directory of their index")
    }
  }

  /// Some programs write the size as a fraction; what is not a number is as good as none.
  private mutating func readSize(_ json: inout JSONReader) throws(FormatError) {
    switch try json.peek() {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
      switch try json.number() {
      case .integer(let size): announcedByteCount = size
      case .fraction(let size): announcedByteCount = Int(exactly: size)
      }
    default: try json.skipValue()
    }
  }

  /// Whether a text can only mean a file in the index's own directory.
  private static func isFileName(_ text: String) -> Bool {
    !text.isEmpty && text != "." && text != ".."
      && !text.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0 }
  }
}

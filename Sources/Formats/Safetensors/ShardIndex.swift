package import CkptBase
internal import CkptJSON

/// The index of a sharded checkpoint, such as `model.safetensors.index.json`.
///
/// It is a JSON object. `weight_map` maps the name of each tensor to its file. `metadata` can have
/// the size of all tensors as `total_size` (`transformers/modeling_utils.py`, `save_pretrained`).
package struct ShardIndex {
  /// The file of each tensor.
  package private(set) var shards: [ExactString: String] = [:]
  /// The names of the files, in order.
  package private(set) var names: [String] = []
  /// The size of all tensors in bytes, if the index has it.
  package private(set) var announcedByteCount: Int?

  /// The strings of `metadata`, among which `huggingface_hub` has the name of the tensor that each
  /// tied one is stored as (`serialization/_torch.py`, `save_torch_model`).
  package private(set) var metadata: [(key: String, value: String)] = []

  /// The position in ``names`` of the file with each tensor.
  package var fileNumbers: [ExactString: Int] {
    let numbers = Dictionary(
      uniqueKeysWithValues: names.enumerated().map { (ExactString($0.element), $0.offset) })
    return shards.compactMapValues { numbers[ExactString($0)] }
  }

  /// Whether the JSON text in `bytes` is an index.
  ///
  /// Errors in other JSON texts do not matter here.
  package static func isPresent(in bytes: [UInt8]) -> Bool {
    var json = JSONReader(bytes.span)
    do throws(CheckpointError) {
      try json.beginObject()
      while let key = try json.nextKey() {
        if key == mapKey { return true }
        try json.skipValue()
      }
    } catch {
      return false
    }
    return false
  }

  /// Reads the index in `bytes`.
  ///
  /// - Throws: `malformed` for an index with invalid entries.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    var json = JSONReader(bytes.span)
    try read(&json)
    guard !shards.isEmpty else {
      throw CheckpointError(.malformed, "the weight_map of this index is empty")
    }
    var seen: Set<ExactString> = []
    for name in shards.values where seen.insert(ExactString(name)).inserted { names.append(name) }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static let mapKey = "weight_map"

  private mutating func read(_ json: inout JSONReader) throws(CheckpointError) {
    var hasMap = false
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case Self.mapKey:
        guard !hasMap else {
          throw CheckpointError(.malformed, "weight_map is repeated", at: json.offset)
        }
        hasMap = true
        try json.beginObject()
        while let name = try json.nextKey() { try readEntry(name, &json) }
      case "metadata" where try json.peek() == UInt8(ascii: "{"):
        try json.beginObject()
        while let key = try json.nextKey() {
          if key == "total_size" {
            try readSize(&json)
          } else if try json.peek() == UInt8(ascii: "\"") {
            metadata.append((key, try json.string()))
          } else {
            try json.skipValue()
          }
        }
      default: try json.skipValue()
      }
    }
    try json.end()
  }

  private mutating func readEntry(
    _ name: String, _ json: inout JSONReader
  ) throws(CheckpointError) {
    let place = json.offset
    let shard = try CheckpointError.within("tensor '\(name)'") { () throws(CheckpointError) in
      try json.string()
    }
    guard shards.updateValue(shard, forKey: ExactString(name)) == nil else {
      throw CheckpointError(.malformed, "the index has tensor '\(name)' twice", at: place)
    }
    guard Self.isFileName(shard) else {
      throw CheckpointError(
        .malformed, "tensor '\(name)' is listed in '\(shard)', which is not a file name",
        at: place, remedy: "the shards of a checkpoint must be in the directory of their index")
    }
  }

  /// Reads the size.
  ///
  /// Some programs write it as a fraction; other values are ignored.
  private mutating func readSize(_ json: inout JSONReader) throws(CheckpointError) {
    switch try json.peek() {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
      switch try json.number() {
      case .integer(let size): announcedByteCount = size
      case .fraction(let size): announcedByteCount = Int(exactly: size)
      }
    default: try json.skipValue()
    }
  }

  /// Whether a text can only mean a file in the directory of the index.
  private static func isFileName(_ text: String) -> Bool {
    !text.isEmpty && text != "." && text != ".."
      && !text.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0 }
  }
}

extension ShardIndex {
  /// Returns the index as JSON text, from the file of each tensor, the number of all elements and
  /// their size.
  ///
  /// It is sorted and indented by two, as `save_pretrained` of transformers 4.57 and 5 writes it.
  static func write(
    files: [(tensor: String, file: String)], parameterCount: Int, totalByteCount: Int
  ) -> [UInt8] {
    var json = JSONWriter(style: .python)
    json.beginObject()
    json.key("metadata")
    json.beginObject()
    json.member("total_parameters", parameterCount)
    json.member("total_size", totalByteCount)
    json.endObject()
    json.key(mapKey)
    json.beginObject()
    for entry in files.sorted(by: { $0.tensor.utf8.lexicographicallyPrecedes($1.tensor.utf8) }) {
      json.member(entry.tensor, entry.file)
    }
    json.endObject()
    json.endObject()
    return json.bytes + [UInt8(ascii: "\n")]
  }
}

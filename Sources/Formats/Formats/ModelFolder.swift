package import CkptBase
internal import CkptJSON

/// A folder with a model as `transformers` saves it.
package enum ModelFolder {
  /// The names that `transformers` looks for, in its order (`modeling_utils.py`,
  /// `_get_resolved_checkpoint_files`).
  private static let names = [
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json",
  ]
  private static let indexSuffixes = [".safetensors.index.json", ".bin.index.json"]

  /// The file to read for the weights in `directory`, or `nil` where there are none: the whole model
  /// or the index of its shards.
  ///
  /// - Throws: `inputOutput` when the directory cannot be read, `unsupported` when it has several
  ///   indices of other names.
  package static func weights(in directory: String) throws(CheckpointError) -> String? {
    for name in names {
      let path = FilePath(directory).appending(name)
      if try path.status() != nil { return path.text }
    }
    let names = try FilePath(directory).entryNames()
    let indices = names.filter { name in indexSuffixes.contains { name.hasSuffix($0) } }
    guard indices.count <= 1 else {
      throw CheckpointError(
        .unsupported,
        "there are several models in this directory: "
          + indices.joined(separator: ", "),
        remedy: "give the index of one"
      ).framed(by: directory)
    }
    return indices.first.map { FilePath(directory).appending($0).text }
  }

  /// Whether there are weights among the files of a directory that have these names.
  package static func holdsWeights(_ fileNames: Set<String>) -> Bool {
    !fileNames.isDisjoint(with: names)
      || fileNames.contains { name in indexSuffixes.contains { name.hasSuffix($0) } }
  }
}

extension ModelFolder {
  /// The files that have the tensors of the checkpoint at `path`: those that it lists if it is the
  /// index of several, or itself.
  ///
  /// - Throws: `inputOutput` when it cannot be read, `malformed` for an index with entries that cannot
  ///   be meant.
  package static func shards(of path: String) throws(CheckpointError) -> [String] {
    let file = try FileSource(path: path)
    return try CheckpointError.within(path) { () throws(CheckpointError) in
      guard try FileKind.sniff(file) == .json, let index = try ShardIndex(reading: file) else {
        return [path]
      }
      let directory = FilePath(path).directory
      return index.names.map { directory.appending($0).text }
    }
  }

  /// The same, the index included.
  ///
  /// - Throws: what ``shards(of:)`` throws.
  package static func files(of path: String) throws(CheckpointError) -> [String] {
    let shards = try shards(of: path)
    return shards.contains(path) ? shards : [path] + shards
  }
}

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
  init?(reading file: any ByteSource) throws(CheckpointError) {
    let bytes = try file.contents(of: "an index of shards", atMost: Limits.indexBytes)
    var isIndex = false
    do throws(CheckpointError) {
      try read(bytes, &isIndex)
    } catch {
      // Other JSON texts are no business of this reader's, whatever is wrong with them.
      guard isIndex else { return nil }
      throw error
    }
    guard isIndex else { return nil }
    guard !shards.isEmpty else {
      throw CheckpointError(.malformed, "the weight_map of this index is empty")
    }
    var seen: Set<ExactString> = []
    for name in shards.values where seen.insert(ExactString(name)).inserted { names.append(name) }
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private mutating func read(_ bytes: [UInt8], _ isIndex: inout Bool) throws(CheckpointError) {
    var json = JSONReader(bytes.span)
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "weight_map":
        guard !isIndex else {
          throw CheckpointError(.malformed, "weight_map is repeated", at: json.offset)
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
        .malformed, "tensor '\(name)' is said to be in '\(shard)', which is not the name of a file",
        at: place, remedy: "the shards of a checkpoint lie in the directory of their index")
    }
  }

  /// Some programs write the size as a fraction; what is not a number is as good as none.
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

  /// Whether a text can only mean a file in the index's own directory.
  private static func isFileName(_ text: String) -> Bool {
    !text.isEmpty && text != "." && text != ".."
      && !text.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0 }
  }
}

internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptJSON
internal import CkptSkeleton

/// The header of a safetensors file: eight bytes of length, then JSON padded with spaces to a
/// multiple of eight, exactly like the reference writer (`safetensors/src/tensor.rs`).
enum SafetensorsHeader {
  /// Returns the header for entries in the order of their data, in three pieces: length, text,
  /// padding.
  ///
  /// Without `metadata` it has no `__metadata__`.
  ///
  /// - Throws: `limitExceeded` beyond the limit of the reference reader.
  static func encode(
    _ entries: [SafetensorsEntry], metadata: [(key: String, value: [UInt8])]?
  ) throws(CheckpointError) -> [[UInt8]] {
    var json = JSONWriter()
    json.beginObject()
    if let metadata {
      json.key("__metadata__")
      json.beginObject()
      for (key, value) in metadata {
        json.key(key)
        json.string(utf8: value[...])
      }
      json.endObject()
    }
    var offset = 0
    for entry in entries {
      guard entry.byteCount <= Limits.outputBytes - offset else { throw tooLarge(entry) }
      json.key(entry.name)
      json.beginObject()
      json.member("dtype", entry.dtype.name)
      json.member("shape", entry.shape)
      json.member("data_offsets", [offset, offset + entry.byteCount])
      json.endObject()
      offset += entry.byteCount
    }
    json.endObject()
    let text = json.bytes.count
    let padding = (8 - text % 8) % 8
    let count = text + padding
    guard count <= Limits.safetensorsHeaderBytes else {
      throw CheckpointError(
        .limitExceeded,
        "the header would have \(count) bytes; readers accept "
          + "\(Limits.safetensorsHeaderBytes)",
        remedy: .action(.omitSkeleton))
    }
    var length = ByteWriter()
    length.write(integer: UInt64(count))
    return [
      length.bytes, json.bytes, [UInt8](repeating: UInt8(ascii: " "), count: padding),
    ]
  }

  private static func tooLarge(_ entry: SafetensorsEntry) -> CheckpointError {
    CheckpointError(
      .limitExceeded,
      "with the \(entry.byteCount) bytes of '\(entry.name)' the file would have more than "
        + "\(Limits.outputBytes)",
      remedy: "the tensor repeats a few bytes of the source very often; it is not a real tensor")
  }
}

/// Reads the entries of a header; equal shapes are stored once.
struct EntryReader {
  private static let keys = ["dtype", "shape", "data_offsets"]

  private var dimensions = DimensionInterner()
  private var numbers: [Int] = []

  /// Reads the entry of the tensor `name`.
  ///
  /// - Throws: `malformed` for an invalid entry, `unsupported` for an unknown dtype.
  mutating func read(
    _ name: String, _ json: inout JSONReader
  ) throws(CheckpointError) -> SafetensorsHeaderEntry {
    var dtype: SafetensorsDType?
    var shape: [Int]?
    var range: (start: Int, end: Int)?
    var found = 0
    let start = json.offset
    try json.beginObject()
    while let key = try json.nextKey(among: Self.keys) {
      guard key < Self.keys.count else {
        try json.skipValue()
        continue
      }
      guard found & 1 << key == 0 else {
        throw CheckpointError(
          .malformed, "'\(Self.keys[key])' is repeated", at: json.offset)
      }
      found |= 1 << key
      switch key {
      case 0: dtype = try readType(&json)
      case 1:
        try readIntegers(&json, limit: Limits.dimensions)
        shape = dimensions.interned(numbers)
      default:
        try readIntegers(&json, limit: 2)
        if numbers.count == 2 { range = (numbers[0], numbers[1]) }
      }
    }
    guard let dtype, let shape, let range else {
      throw CheckpointError(
        .malformed, "an entry needs dtype, shape and two data_offsets", at: start)
    }
    guard range.start <= range.end else {
      throw CheckpointError(
        .malformed, "its data ends at \(range.end), before its start at \(range.start)", at: start)
    }
    return SafetensorsHeaderEntry(
      name: name, dtype: dtype, shape: shape, range: range.start..<range.end)
  }

  private func readType(_ json: inout JSONReader) throws(CheckpointError) -> SafetensorsDType {
    let text = try json.string()
    guard let known = SafetensorsDType(name: text) else {
      throw CheckpointError(.unsupported, "the dtype '\(text)' is unknown", at: json.offset)
    }
    return known
  }

  /// Reads an array of integers into ``numbers``.
  private mutating func readIntegers(
    _ json: inout JSONReader, limit: Int
  ) throws(CheckpointError) {
    numbers.removeAll(keepingCapacity: true)
    try json.beginArray()
    while try json.nextElement() {
      let offset = json.offset
      let value = try json.unsignedInteger()
      guard numbers.count < limit, let value = Int(exactly: value) else {
        throw CheckpointError(
          .malformed,
          numbers.count < limit ? "\(value) is too large" : "more than \(limit) numbers",
          at: offset)
      }
      numbers.append(value)
    }
  }
}

/// The entry of one tensor in the header of a safetensors file.
struct SafetensorsHeaderEntry {
  /// The name of the tensor.
  var name: String
  /// The dtype of its elements.
  var dtype: SafetensorsDType
  /// The number of elements along each dimension.
  var shape: [Int]
  /// The range of its data, in bytes from the end of the header.
  var range: Range<Int>
}

/// Reading by the rules of the reference (`safetensors/src/tensor.rs`), with two more: names must
/// be unique, and the text must start with `{`, as the format's description says.
extension SafetensorsHeader {
  /// The contents of a header.
  struct Contents {
    /// The tensors, in the order of their data.
    var entries: [SafetensorsHeaderEntry]
    /// The entries of `__metadata__`, in order.
    var metadata: [(key: String, value: String)]
    /// Whether the header has a `__metadata__`, even an empty one.
    var hasMetadata: Bool
    /// The size of the header in bytes, without the eight bytes before it.
    var byteCount: Int

    /// The text of the skeleton, if there is one.
    var skeleton: String? { metadata.first { $0.key == SkeletonWriter.metadataKey }?.value }
  }

  /// The typical number of bytes for one tensor in a header.
  private static let bytesPerEntry = 96
  /// The maximum number of tensors to expect; a skeleton can make a header long.
  private static let mostExpectedEntries = 1 << 17

  /// Whether bytes begin like a header: a JSON object, before which the reference library allows white
  /// space (`safetensors/src/tensor.rs`, `read_metadata`; RFC 8259, section 2).
  static func begins(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
  }

  /// Reads the header of the source of `look`.
  ///
  /// - Throws: `truncated`, `malformed` or `limitExceeded`, with the offset in the file.
  static func read(_ look: SourceLook) throws(CheckpointError) -> Contents {
    let count = try headerByteCount(of: look)
    let bytes = try look.bytes(in: 8..<8 + count)
    guard bytes.count == count else {
      throw CheckpointError(.truncated, "the file became shorter during reading")
    }
    guard begins(bytes[...]) else {
      throw CheckpointError(.malformed, "the header does not start with '{'", at: 8)
    }
    var entries: [SafetensorsHeaderEntry] = []
    var metadata: [(key: String, value: String)]?
    let expected = min(count / bytesPerEntry, mostExpectedEntries)
    var names = TextTable(expectedCount: expected)
    entries.reserveCapacity(expected)
    var reader = EntryReader()
    var json = JSONReader(bytes.span, base: 8)
    try json.beginObject()
    while let name = try json.nextKey() {
      let isMetadata = ExactString(name) == ExactString("__metadata__")
      let known =
        isMetadata
        ? metadata.map { _ in 0 }
        : names.update(entries.count, hash: TextTable.hash(name.utf8.span)) {
          ExactString(entries[$0].name) == ExactString(name)
        }
      guard known == nil else {
        throw CheckpointError(.malformed, "two tensors are named '\(name)'", at: json.offset)
      }
      if isMetadata {
        metadata = try readMetadata(&json)
      } else {
        entries.append(
          try CheckpointError.within("tensor '\(name)'") { () throws(CheckpointError) in
            try reader.read(name, &json)
          })
      }
    }
    try json.end()
    try check(&entries, dataByteCount: look.source.byteCount - 8 - count)
    return Contents(
      entries: entries, metadata: metadata ?? [], hasMetadata: metadata != nil, byteCount: count)
  }

  private static func headerByteCount(of look: SourceLook) throws(CheckpointError) -> Int {
    let bytes = try look.bytes(in: 0..<8)
    guard bytes.count == 8 else {
      throw CheckpointError(
        .truncated, "the file has \(bytes.count) bytes, but a safetensors file has at least 8")
    }
    var reader = ByteReader(bytes.span)
    let count = try reader.readInteger(as: UInt64.self)
    guard count <= UInt64(Limits.safetensorsHeaderBytes) else {
      throw CheckpointError(
        .limitExceeded,
        "the header would have \(count) bytes, but the limit of the format is "
          + "\(Limits.safetensorsHeaderBytes)", at: 0)
    }
    guard Int(count) <= look.source.byteCount - 8 else {
      throw CheckpointError(
        .truncated,
        "the header would have \(count) bytes, but only \(look.source.byteCount - 8) are left",
        at: 0, remedy: "the file is truncated; download or copy it again")
    }
    return Int(count)
  }

  private static func readMetadata(
    _ json: inout JSONReader
  ) throws(CheckpointError) -> [(key: String, value: String)] {
    guard try !json.readNull() else { return [] }
    var metadata: [(key: String, value: String)] = []
    var keys: Set<ExactString> = []
    try json.beginObject()
    while let key = try json.nextKey() {
      guard keys.insert(ExactString(key)).inserted else {
        throw CheckpointError(.malformed, "metadata key '\(key)' is repeated", at: json.offset)
      }
      metadata.append((key, try json.string()))
    }
    return metadata
  }

  /// Sorts the entries by their data and checks that together they cover all of it, once.
  private static func check(
    _ entries: inout [SafetensorsHeaderEntry], dataByteCount: Int
  ) throws(CheckpointError) {
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = 0
    for entry in entries {
      try CheckpointError.within("tensor '\(entry.name)'") { () throws(CheckpointError) in
        guard entry.range.lowerBound == end else {
          throw CheckpointError(
            .malformed,
            "its data begins at \(entry.range.lowerBound), but the data before it ends at \(end)")
        }
        try checkSize(entry)
      }
      end = entry.range.upperBound
    }
    guard end == dataByteCount else {
      throw CheckpointError(
        end > dataByteCount ? .truncated : .malformed,
        "the tensors have \(end) bytes of data, but the file has \(dataByteCount): "
          + (end > dataByteCount
            ? "\(end - dataByteCount) missing" : "\(dataByteCount - end) too many"),
        remedy: end > dataByteCount
          ? "the file is truncated; download or copy it again"
          : "data was appended, or the header belongs to another file; download or copy it again")
    }
  }

  private static func checkSize(_ entry: SafetensorsHeaderEntry) throws(CheckpointError) {
    var bits = entry.dtype.bitWidth
    for size in entry.shape { bits = try bits.multiplied(by: size, orThrow: "its size") }
    guard bits.isMultiple(of: 8), bits / 8 == entry.range.count else {
      throw CheckpointError(
        .malformed,
        "\(entry.dtype.name) of shape \(entry.shape) has \(bits) bits, but its data has "
          + "\(entry.range.count) bytes")
    }
    // PyTorch also packs two values of four bits into each byte of the last dimension.
    guard entry.dtype != .f4 || entry.shape.last?.isMultiple(of: 2) == true else {
      throw CheckpointError(
        .unsupported, "F4 of shape \(entry.shape) has bytes that span two rows")
    }
  }
}

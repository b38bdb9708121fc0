internal import CkptBase
internal import CkptJSON
internal import CkptYAML

// JSON documents have the same values as YAML documents, so one table serves both.

extension YAMLValue {
  /// Parses a JSON text without recursion.
  ///
  /// - Throws: `malformed` for invalid JSON and for a repeated name, `limitExceeded` beyond
  ///   ``YAMLLimits``.
  init(readingJSON bytes: [UInt8]) throws(CheckpointError) {
    var reader = JSONReader(bytes.span)
    var open: [OpenJSONContainer] = []
    var count = 0
    var result: YAMLValue?
    while result == nil {
      let value: YAMLValue
      if !open.isEmpty, try !open[open.count - 1].findNext(&reader) {
        value = open.removeLast().value
      } else {
        count += 1
        guard count <= YAMLLimits.nodes, open.count <= YAMLLimits.depth else {
          throw CheckpointError(
            .limitExceeded,
            "more than \(YAMLLimits.nodes) values, or \(YAMLLimits.depth) inside one another",
            at: reader.offset)
        }
        if let container = try OpenJSONContainer(beginning: &reader) {
          open.append(container)
          continue
        }
        value = YAMLValue(try Self.scalar(&reader))
      }
      if open.isEmpty { result = value } else { open[open.count - 1].add(value) }
    }
    try reader.end()
    self = result ?? YAMLValue(.null)
  }

  private static func scalar(_ reader: inout JSONReader) throws(CheckpointError) -> YAMLScalar {
    if try reader.readNull() { return .null }
    switch try reader.peek() {
    case UInt8(ascii: "\""): return .string(try reader.string())
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try reader.bool())
    default: break
    }
    let start = reader.offset
    switch try reader.number() {
    case .integer(let value): return .integer(value)
    case .fraction(let value) where value.isFinite: return .number(value)
    case .fraction:
      throw CheckpointError(.limitExceeded, "a number is too large", at: start)
    }
  }

  /// Returns the value as JSON in the style of `json.dumps` with an indent of two.
  ///
  /// - Throws: `lossy` for values that JSON cannot hold: names that are not text, infinities and
  ///   NaN.
  func json() throws(CheckpointError) -> [UInt8] {
    var writer = JSONWriter(style: .python)
    var work = [JSONStep.value(self)]
    while let step = work.popLast() {
      switch step {
      case .key(let key): writer.key(key)
      case .endObject: writer.endObject()
      case .endArray: writer.endArray()
      case .value(let value): try value.begin(&writer, &work)
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private enum JSONStep {
    case value(YAMLValue), key(String), endObject, endArray
  }

  private func begin(
    _ writer: inout JSONWriter, _ work: inout [JSONStep]
  ) throws(CheckpointError) {
    switch content {
    case .scalar(.null): writer.null()
    case .scalar(.bool(let value)): writer.bool(value)
    case .scalar(.integer(let value)): writer.integer(value)
    case .scalar(.string(let text)): writer.string(text)
    case .scalar(.number(let value)):
      guard value.isFinite else { throw notInJSON("the number \(YAMLScalar.number(value))") }
      writer.number(value)
    case .sequence(let elements):
      writer.beginArray()
      work.append(.endArray)
      work.append(contentsOf: elements.reversed().map(JSONStep.value))
    case .mapping(let mapping):
      writer.beginObject()
      work.append(.endObject)
      for entry in mapping.entries.reversed() {
        guard case .string(let key) = entry.key else {
          throw notInJSON("the name '\(entry.key)', which is not text")
        }
        work.append(.value(entry.value))
        work.append(.key(key))
      }
    }
  }

  private func notInJSON(_ what: String) -> CheckpointError {
    let error = CheckpointError(
      .lossy, "JSON cannot hold \(what)",
      remedy: .text("quote it", .omitOLMoSettings))
    return place.map { error.framed(by: $0.description) } ?? error
  }
}

/// A container of a JSON text whose end was not read yet.
struct OpenJSONContainer {
  private var content: YAMLValue.Content
  private var key = ""

  /// Enters the next container; `nil` if something else comes next.
  init?(beginning reader: inout JSONReader) throws(CheckpointError) {
    switch try reader.peek() {
    case UInt8(ascii: "{"):
      try reader.beginObject()
      content = .mapping(YAMLMapping())
    case UInt8(ascii: "["):
      try reader.beginArray()
      content = .sequence([])
    default: return nil
    }
  }

  /// Reads up to the next value, including its name.
  ///
  /// Returns whether there is one.
  ///
  /// - Throws: `malformed` if neither a value nor the end follows, and for a repeated name.
  mutating func findNext(_ reader: inout JSONReader) throws(CheckpointError) -> Bool {
    guard case .mapping(let mapping) = content else { return try reader.nextElement() }
    let start = reader.offset
    guard let key = try reader.nextKey() else { return false }
    guard mapping[key] == nil else {
      throw CheckpointError(.malformed, "the name '\(key)' is repeated in one object", at: start)
    }
    self.key = key
    return true
  }

  /// Adds the value.
  mutating func add(_ value: YAMLValue) {
    switch content {
    case .scalar: break
    case .sequence(var elements):
      // The list must have no other owner here, or each element would copy it.
      content = .scalar(.null)
      elements.append(value)
      content = .sequence(elements)
    case .mapping(var mapping):
      content = .scalar(.null)
      mapping[key] = value
      content = .mapping(mapping)
    }
  }

  /// The complete container.
  var value: YAMLValue { YAMLValue(content) }
}

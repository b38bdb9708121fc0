internal import Bytes
internal import JSON
internal import YAML

/// An object or array of a JSON text whose end has not been read yet.
struct OpenJSONContainer {
  private var content: YAMLValue.Content
  private var key = ""

  /// Enters the container that comes next; `nil` if something else does.
  init?(beginning reader: inout JSONReader) throws(FormatError) {
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

  /// Reads up to the next value, the name before it included; returns whether there is one.
  ///
  /// - Throws: `malformed` where neither a value nor the end comes, and for a name that stands
  ///   twice.
  mutating func findNext(_ reader: inout JSONReader) throws(FormatError) -> Bool {
    guard case .mapping(let mapping) = content else { return try reader.nextElement() }
    let start = reader.offset
    guard let key = try reader.nextKey() else { return false }
    guard mapping[key] == nil else {
      throw FormatError(.malformed, "the name '\(key)' stands twice in one object", at: start)
    }
    self.key = key
    return true
  }

  /// Adds the value that was found.
  mutating func add(_ value: YAMLValue) {
    switch content {
    case .scalar: break
    case .sequence(var elements):
      // The list must be owned here alone, or each element would copy it.
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

internal import CkptBase

/// One value of a document, and where it was read.
package struct YAMLValue: Sendable {
  /// What a value is.
  package enum Content: Hashable, Sendable {
    /// A single value.
    case scalar(YAMLScalar)
    /// A list.
    case sequence([YAMLValue])
    /// Names with their values.
    case mapping(YAMLMapping)
  }

  /// What the value is.
  package var content: Content
  /// Where it begins; `nil` for a value that was not read.
  package var place: YAMLPlace?

  /// A value, as read at `place` or of the program's own making.
  package init(_ content: Content, at place: YAMLPlace? = nil) {
    self.content = content
    self.place = place
  }

  /// A single value of the program's own making.
  package init(_ scalar: YAMLScalar) { self.init(.scalar(scalar)) }

  /// The single value, if it is one.
  package var scalar: YAMLScalar? {
    guard case .scalar(let scalar) = content else { return nil }
    return scalar
  }

  /// The elements, if it is a list.
  package var sequence: [YAMLValue]? {
    guard case .sequence(let elements) = content else { return nil }
    return elements
  }

  /// The names and their values, if it has any.
  package var mapping: YAMLMapping? {
    guard case .mapping(let mapping) = content else { return nil }
    return mapping
  }
}

extension YAMLValue: Hashable {
  /// Whether two values are equal, wherever they stand.
  package static func == (left: YAMLValue, right: YAMLValue) -> Bool {
    left.content == right.content
  }

  /// Feeds the content to `hasher`.
  package func hash(into hasher: inout Hasher) { hasher.combine(content) }
}

/// A value that is no collection.
package enum YAMLScalar: Sendable {
  /// `null`, `~` or nothing at all.
  case null
  /// `true` or `false`, or another of the words for them.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number with a fraction or an exponent; infinities and NaN included.
  case number(Double)
  /// Text, interpolations such as `${name}` included.
  case string(String)
}

extension YAMLScalar: Hashable {
  /// Whether kind and value are equal; text is compared byte by byte, and NaN equals itself.
  package static func == (left: YAMLScalar, right: YAMLScalar) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.integer(let left), .integer(let right)): left == right
    case (.number(let left), .number(let right)): left == right || left.isNaN && right.isNaN
    case (.string(let left), .string(let right)): ExactString(left) == ExactString(right)
    default: false
    }
  }

  /// Feeds what ``==(_:_:)`` compares to `hasher`.
  package func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let value): hasher.combine(value)
    case .integer(let value): hasher.combine(value)
    case .number(let value): hasher.combine(value.isNaN ? .nan : value)
    case .string(let text): hasher.combine(ExactString(text))
    }
  }
}

extension YAMLScalar: CustomStringConvertible {
  /// The value as it is written where nothing can be mistaken: text without quotes.
  package var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): Self.text(of: value)
    case .string(let text): text
    }
  }

  /// A number as PyYAML writes it, so that every reader takes it for one.
  ///
  /// PyYAML reads `1e-05` as text and therefore writes `1.0e-05` (its `represent_float`).
  static func text(of number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    let text = number.description
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}

/// Names with their values, in the order in which they were written.
package struct YAMLMapping: Sendable {
  /// A name and its value.
  package struct Entry: Hashable, Sendable {
    /// The name, which is text almost always.
    package var key: YAMLScalar
    /// Its value.
    package var value: YAMLValue
  }

  /// All names and values in their order.
  package private(set) var entries: [Entry] = []
  private var indices: [YAMLScalar: Int] = [:]

  /// A mapping without entries.
  package init() {}

  /// Whether there are no entries.
  package var isEmpty: Bool { entries.isEmpty }

  /// The value of `key`.
  ///
  /// Setting keeps the entry's place, or appends it; setting `nil` removes it.
  package subscript(key: YAMLScalar) -> YAMLValue? {
    get { indices[key].map { entries[$0].value } }
    set {
      if let index = indices[key] {
        if let newValue { entries[index].value = newValue } else { remove(at: index) }
      } else if let newValue {
        indices[key] = entries.count
        entries.append(Entry(key: key, value: newValue))
      }
    }
  }

  /// The value whose name is the text `key`; see the subscript above.
  package subscript(key: String) -> YAMLValue? {
    get { self[.string(key)] }
    set { self[.string(key)] = newValue }
  }

  private mutating func remove(at index: Int) {
    entries.remove(at: index)
    indices = [:]
    for (index, entry) in entries.enumerated() { indices[entry.key] = index }
  }
}

extension YAMLMapping: Hashable {
  /// Whether two mappings have equal entries in the same order.
  package static func == (left: YAMLMapping, right: YAMLMapping) -> Bool {
    left.entries == right.entries
  }

  /// Feeds the entries to `hasher`.
  package func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}

/// Where in a document something stands, both counted from one as editors do.
package struct YAMLPlace: Hashable, Sendable, CustomStringConvertible {
  /// The line.
  package var line: Int
  /// The character within the line.
  package var column: Int

  /// A place in a document.
  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  /// `line 3, column 5`.
  package var description: String { "line \(line), column \(column)" }
}

internal import CkptBase

/// A value of a document, with its position.
package struct YAMLValue: Sendable {
  /// The content of a value.
  package enum Content: Hashable, Sendable {
    /// A scalar.
    case scalar(YAMLScalar)
    /// A list.
    case sequence([YAMLValue])
    /// Names with their values.
    case mapping(YAMLMapping)
  }

  /// The content.
  package var content: Content
  /// The position of its start; `nil` for a value that was not read.
  package var place: YAMLPlace?

  /// Creates a value, read at `place` or new.
  package init(_ content: Content, at place: YAMLPlace? = nil) {
    self.content = content
    self.place = place
  }

  /// Creates a new scalar.
  package init(_ scalar: YAMLScalar) { self.init(.scalar(scalar)) }

  /// The scalar, if it is one.
  package var scalar: YAMLScalar? {
    guard case .scalar(let scalar) = content else { return nil }
    return scalar
  }

  /// The elements, if it is a list.
  package var sequence: [YAMLValue]? {
    guard case .sequence(let elements) = content else { return nil }
    return elements
  }

  /// The names and values, if it is a mapping.
  package var mapping: YAMLMapping? {
    guard case .mapping(let mapping) = content else { return nil }
    return mapping
  }
}

extension YAMLValue: Hashable {
  /// Whether two values are equal, at any position.
  package static func == (left: YAMLValue, right: YAMLValue) -> Bool {
    left.content == right.content
  }

  /// Hashes the content.
  package func hash(into hasher: inout Hasher) { hasher.combine(content) }
}

/// A value that is not a collection.
package enum YAMLScalar: Sendable {
  /// `null`, `~` or nothing at all.
  case null
  /// `true` or `false`, or another word for one of them.
  case bool(Bool)
  /// A whole number.
  case integer(Int)
  /// A number with a fraction or an exponent, including infinities and NaN.
  case number(Double)
  /// Text, including interpolations such as `${name}`.
  case string(String)
}

extension YAMLScalar: Hashable {
  /// Whether kind and value are equal.
  ///
  /// Text is compared byte by byte, and NaN equals itself.
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

  /// Hashes the values that ``==(_:_:)`` compares.
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
  /// The value as text without quotes, for messages.
  package var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): Self.text(of: value)
    case .string(let text): text
    }
  }

  /// Returns a number as PyYAML writes it, so that every reader takes it for a number.
  ///
  /// PyYAML reads `1e-05` as text, so it writes `1.0e-05` (`represent_float`).
  static func text(of number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    let text = number.description
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }
}

/// Names with their values, in document order.
package struct YAMLMapping: Sendable {
  /// A name with its value.
  package struct Entry: Hashable, Sendable {
    /// The name, nearly always text.
    package var key: YAMLScalar
    /// Its value.
    package var value: YAMLValue
  }

  /// All entries, in order.
  package private(set) var entries: [Entry] = []
  private var indices: [YAMLScalar: Int] = [:]

  /// Creates an empty mapping.
  package init() {}

  /// Whether it has no entries.
  package var isEmpty: Bool { entries.isEmpty }

  /// The value of `key`.
  ///
  /// Setting a value keeps the position of the entry, or appends it; setting `nil` removes it.
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

  /// The value of the text `key`; see the subscript above.
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

  /// Hashes the entries.
  package func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}

/// A position in a document, counted from one as in editors.
package struct YAMLPlace: Hashable, Sendable, CustomStringConvertible {
  /// The line.
  package var line: Int
  /// The character in the line.
  package var column: Int

  /// Creates a position in a document.
  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  /// `line 3, column 5`.
  package var description: String { "line \(line), column \(column)" }
}

/// A name that equals another only if their bytes are equal.
///
/// Swift takes strings for equal that Unicode calls equivalent, such as an accented letter and the
/// letter with a combining accent. To every file format they are different names.
package struct ExactString: Hashable, Sendable {
  /// The name.
  package let text: String

  /// Wraps a name.
  package init(_ text: String) { self.text = text }

  /// Whether the bytes are equal.
  package static func == (left: ExactString, right: ExactString) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  /// Feeds the bytes to `hasher`.
  package func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }
}

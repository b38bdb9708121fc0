/// A name that equals another one only if their bytes are equal.
///
/// Swift's strings are equal if Unicode calls them equivalent, such as an accented letter and the
/// letter with a combining accent. In file formats these are different names.
package struct ExactString: Hashable, Sendable {
  /// The name.
  package let text: String

  /// Wraps a name.
  package init(_ text: String) { self.text = text }

  /// Whether the bytes are equal.
  package static func == (left: ExactString, right: ExactString) -> Bool {
    let (one, other) = (left.text.utf8.span, right.text.utf8.span)
    WorkCount.add(min(one.count, other.count))
    return one.isEqual(to: other)
  }

  /// Hashes the bytes.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(TextTable.hash(text.utf8.span))
  }
}

extension Span<UInt8> {
  /// Whether the bytes equal those of `other`.
  @inlinable
  package func isEqual(to other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    var index = 0
    while index + 8 <= count {
      guard word(at: index) == other.word(at: index) else { return false }
      index += 8
    }
    while index < count {
      guard self[index] == other[index] else { return false }
      index += 1
    }
    return true
  }
}

extension ExactString: Comparable {
  /// Whether the bytes of `left` come first.
  package static func < (left: ExactString, right: ExactString) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }
}

extension Dictionary where Key == ExactString {
  /// The value for a name.
  package subscript(name: String) -> Value? {
    get { self[ExactString(name)] }
    set { self[ExactString(name)] = newValue }
  }
}

extension Set where Element == ExactString {
  /// Creates the set of these names.
  package init(names: some Sequence<String>) { self.init(names.lazy.map(ExactString.init)) }

  /// Whether the name is in the set.
  package func contains(_ name: String) -> Bool { contains(ExactString(name)) }

  /// Adds a name.
  ///
  /// - Returns: whether it is new.
  @discardableResult
  package mutating func insert(_ name: String) -> Bool { insert(ExactString(name)).inserted }
}

/// Byte-by-byte operations on names.
///
/// Swift's own functions compare characters, and one character can be several code points. A slash
/// with a combining accent is not the character `/`, but file formats and the system see the slash.
extension String {
  /// Whether the first bytes equal those of `prefix`.
  package func begins(with prefix: String) -> Bool {
    let (bytes, beginning) = (utf8.span, prefix.utf8.span)
    guard bytes.count >= beginning.count else { return false }
    for index in beginning.indices where bytes[index] != beginning[index] { return false }
    return true
  }

  /// Whether the bytes come before those of `other`.
  package func precedes(_ other: String) -> Bool {
    let (one, two) = (utf8.span, other.utf8.span)
    let count = min(one.count, two.count)
    WorkCount.add(count)
    for index in 0..<count where one[index] != two[index] { return one[index] < two[index] }
    return one.count < two.count
  }

  /// Whether the last bytes equal those of `suffix`.
  package func ends(with suffix: String) -> Bool {
    utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  /// Returns the text after the first `count` bytes, the last of which is ASCII.
  package func droppingFirst(_ count: Int) -> String { String(Substring(utf8.dropFirst(count))) }

  /// Returns the parts between the ASCII bytes `separator`, at most `most` of which are used.
  ///
  /// Parts can be empty.
  package func parts(between separator: Unicode.Scalar, atMost most: Int = .max) -> [Substring] {
    WorkCount.add(utf8.count)
    return utf8.split(
      separator: UInt8(ascii: separator), maxSplits: most, omittingEmptySubsequences: false
    ).map(Substring.init)
  }
}

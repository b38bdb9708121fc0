/// Names taken apart byte by byte.
///
/// Swift's own functions go by characters, and one character can be several code points: a slash
/// with a combining accent behind it is not the character `/`, but to every file format, and to the
/// system, it is the slash.
extension String {
  /// Whether the first bytes are those of `prefix`.
  package func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }

  /// Whether the last bytes are those of `suffix`.
  package func ends(with suffix: String) -> Bool {
    utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  /// The text behind the first `count` bytes, which end with a character of ASCII.
  package func droppingFirst(_ count: Int) -> String { String(Substring(utf8.dropFirst(count))) }

  /// What stands between the bytes `separator` of ASCII, of which no more than `most` are looked
  /// for; empty parts are parts.
  package func parts(between separator: Unicode.Scalar, atMost most: Int = .max) -> [Substring] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: most, omittingEmptySubsequences: false
    ).map(Substring.init)
  }
}

/// Two names that Unicode calls equivalent and every file format tells apart: an accented letter as
/// one code point, and as a letter with a combining accent.
package enum Spellings {
  /// One code point.
  package static let composed = "\u{e9}"
  /// Two code points.
  package static let decomposed = "e\u{301}"
}

/// Text of shell scripts.
extension String {
  /// The text as one word of bash or zsh.
  var shellQuoted: String { "'\(escaping { $0 == "'" ? "'\\''" : nil })'" }

  /// The text with some characters written as what `replacement` returns for them.
  func escaping(_ replacement: (Character) -> String?) -> String {
    reduce(into: "") { text, character in text += replacement(character) ?? String(character) }
  }
}

extension [String] {
  /// The lines as the body of a block, without a line feed at the end.
  func indented(by count: Int) -> String {
    map { String(repeating: " ", count: count) + $0 }.joined(separator: "\n")
  }
}

extension Flag {
  /// The flag's names as they are typed: the letter first.
  var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + ["--\(long)"] }
}

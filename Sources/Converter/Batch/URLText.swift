/// Tells URLs from paths.
enum URLText {
  /// The scheme of a URL and what follows its `://`, without a final slash; `nil` for a path.
  static func parts(of text: String) -> (scheme: String, rest: String)? {
    let scheme = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+") }
    guard !scheme.isEmpty, text[scheme.endIndex...].hasPrefix("://") else { return nil }
    var rest = text[scheme.endIndex...].dropFirst(3)
    while rest.count > 1, rest.hasSuffix("/") { rest.removeLast() }
    return (scheme.lowercased(), String(rest))
  }
}

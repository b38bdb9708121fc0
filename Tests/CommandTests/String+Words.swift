extension String {
  /// The arguments of a command line without quotes.
  var words: [String] { split(separator: " ").map(String.init) }
}

/// Where in a document something stands, both counted from one as editors do.
public struct YAMLPlace: Hashable, Sendable, CustomStringConvertible {
  /// The line.
  public var line: Int
  /// The character within the line.
  public var column: Int

  /// A place in a document.
  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  /// `line 3, column 5`.
  public var description: String { "line \(line), column \(column)" }
}

/// A value of JSON, and its text.
public enum Value: Sendable, CustomStringConvertible {
  case text(String)
  case number(Int)
  case list([Value])
  case object([(key: String, value: Value)])

  /// The text of the value; texts must be free of quotation marks and control characters.
  public var description: String {
    switch self {
    case .text(let text): "\"\(text)\""
    case .number(let number): "\(number)"
    case .list(let items): "[\(items.map(\.description).joined(separator: ", "))]"
    case .object(let members):
      "{\(members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", "))}"
    }
  }
}

/// One value of a document, and where it was read.
public struct YAMLValue: Sendable {
  /// What a value is.
  public enum Content: Hashable, Sendable {
    /// A single value.
    case scalar(YAMLScalar)
    /// A list.
    case sequence([YAMLValue])
    /// Names with their values.
    case mapping(YAMLMapping)
  }

  /// What the value is.
  public var content: Content
  /// Where it begins; `nil` for a value that was not read.
  public var place: YAMLPlace?

  /// A value, as read at `place` or of the program's own making.
  public init(_ content: Content, at place: YAMLPlace? = nil) {
    self.content = content
    self.place = place
  }

  /// A single value of the program's own making.
  public init(_ scalar: YAMLScalar) { self.init(.scalar(scalar)) }

  /// The single value, if it is one.
  public var scalar: YAMLScalar? {
    guard case .scalar(let scalar) = content else { return nil }
    return scalar
  }

  /// The elements, if it is a list.
  public var sequence: [YAMLValue]? {
    guard case .sequence(let elements) = content else { return nil }
    return elements
  }

  /// The names and their values, if it has any.
  public var mapping: YAMLMapping? {
    guard case .mapping(let mapping) = content else { return nil }
    return mapping
  }
}

extension YAMLValue: Hashable {
  /// Whether two values are equal, wherever they stand.
  public static func == (left: YAMLValue, right: YAMLValue) -> Bool {
    left.content == right.content
  }

  /// Feeds the content to `hasher`.
  public func hash(into hasher: inout Hasher) { hasher.combine(content) }
}

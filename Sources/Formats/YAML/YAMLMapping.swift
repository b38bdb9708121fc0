/// Names with their values, in the order in which they were written.
public struct YAMLMapping: Sendable {
  /// A name and its value.
  public struct Entry: Hashable, Sendable {
    /// The name, which is text almost always.
    public var key: YAMLScalar
    /// Its value.
    public var value: YAMLValue
  }

  /// All names and values in their order.
  public private(set) var entries: [Entry] = []
  private var indices: [YAMLScalar: Int] = [:]

  /// A mapping without entries.
  public init() {}

  /// Whether there are no entries.
  public var isEmpty: Bool { entries.isEmpty }

  /// The value of `key`.
  ///
  /// Setting keeps the entry's place, or appends it; setting `nil` removes it.
  public subscript(key: YAMLScalar) -> YAMLValue? {
    get { indices[key].map { entries[$0].value } }
    set {
      if let index = indices[key] {
        if let newValue { entries[index].value = newValue } else { remove(at: index) }
      } else if let newValue {
        indices[key] = entries.count
        entries.append(Entry(key: key, value: newValue))
      }
    }
  }

  /// The value whose name is the text `key`; see the subscript above.
  public subscript(key: String) -> YAMLValue? {
    get { self[.string(key)] }
    set { self[.string(key)] = newValue }
  }

  private mutating func remove(at index: Int) {
    entries.remove(at: index)
    indices = [:]
    for (index, entry) in entries.enumerated() { indices[entry.key] = index }
  }
}

extension YAMLMapping: Hashable {
  /// Whether two mappings have equal entries in the same order.
  public static func == (left: YAMLMapping, right: YAMLMapping) -> Bool {
    left.entries == right.entries
  }

  /// Feeds the entries to `hasher`.
  public func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}

internal import Bytes

/// A list or a mapping whose end has not been read yet.
struct OpenCollection {
  private var content: YAMLValue.Content
  private let place: YAMLPlace
  /// The name by which aliases will repeat it.
  let anchor: String?
  /// How many values had been read before it.
  var nodesBefore = 0
  /// The most collections inside one another that it holds, itself included.
  private(set) var height = 1

  /// The name whose value comes next, in a mapping.
  private var key: YAMLScalar?
  private var isMerging = false
  /// The mappings that `<<` takes in, in the order in which their entries come.
  private var merged: [YAMLMapping] = []

  init(_ content: YAMLValue.Content, at place: YAMLPlace, _ anchor: String?) {
    self.content = content
    self.place = place
    self.anchor = anchor
  }

  /// Whether a name must come next.
  var expectsKey: Bool {
    guard case .mapping = content else { return false }
    return key == nil && !isMerging
  }

  /// Takes the next value for what `<<` merges.
  mutating func beginMerge() { isMerging = true }

  /// Adds a value, or a name where one is expected.
  ///
  /// - Throws: `malformed` for a name that stands twice and for a merge of something else than
  ///   mappings, `unsupported` for a name that is neither text nor number.
  mutating func add(_ value: YAMLValue, height: Int) throws(FormatError) {
    self.height = max(self.height, height + 1)
    switch content {
    case .scalar: break
    case .sequence(var elements):
      // The list must be owned here alone, or each element would copy it.
      content = .scalar(.null)
      elements.append(value)
      content = .sequence(elements)
    case .mapping(var mapping):
      if isMerging {
        isMerging = false
        try merge(value)
      } else if let key {
        content = .scalar(.null)
        mapping[key] = value
        content = .mapping(mapping)
        self.key = nil
      } else {
        key = try Self.key(value, newIn: mapping)
      }
    }
  }

  private static func key(
    _ value: YAMLValue, newIn mapping: YAMLMapping
  ) throws(FormatError) -> YAMLScalar {
    guard let key = value.scalar, key != .null else {
      throw FormatError(.unsupported, "a name that is neither text nor a number")
    }
    guard mapping[key] == nil else {
      throw FormatError(
        .malformed, "the name '\(key)' stands twice in one mapping", hint: "remove one of the two")
    }
    return key
  }

  private mutating func merge(_ value: YAMLValue) throws(FormatError) {
    // Of several, the first has the last word (https://yaml.org/type/merge.html).
    let sources = value.sequence?.reversed() ?? [value]
    for source in sources {
      guard let mapping = source.mapping else {
        throw FormatError(.malformed, "'<<' merges something that is no mapping")
      }
      merged.append(mapping)
    }
  }

  /// The complete value.
  consuming func value() throws(FormatError) -> YAMLValue {
    guard case .mapping(let own) = content, !merged.isEmpty else {
      return YAMLValue(content, at: place)
    }
    var result = YAMLMapping()
    for mapping in merged + [own] {
      for entry in mapping.entries { result[entry.key] = entry.value }
    }
    return YAMLValue(.mapping(result), at: place)
  }
}

package import CkptBase

extension YAMLValue {
  /// Reads the single document in `bytes`; a document without content is `null`.
  ///
  /// Scalars have the values of OmegaConf. A repeated name in a mapping is refused, as by
  /// OmegaConf. Aliases and merges (`<<`) are replaced by their values.
  ///
  /// - Throws: `malformed` for invalid YAML, `unsupported` for values of other programs (`!tag`),
  ///   `limitExceeded` beyond ``YAMLLimits``; the path has line and column.
  package init(reading bytes: [UInt8]) throws(CheckpointError) {
    guard bytes.count <= YAMLLimits.documentBytes else {
      throw CheckpointError(
        .limitExceeded,
        "the YAML has \(bytes.count) bytes, but the limit is \(YAMLLimits.documentBytes)")
    }
    guard YAMLReader.countDirectives(bytes) <= YAMLLimits.directives else {
      throw CheckpointError(
        .limitExceeded, "more than \(YAMLLimits.directives) lines begin with %, like directives")
    }
    self = try YAMLReader(bytes).document()
  }
}

/// Builds values from the events of a document, without recursion.
struct YAMLReader: ~Copyable {
  private let parser: YAMLParser
  private var open: [OpenCollection] = []
  private var anchors: [ExactString: AnchoredValue] = [:]
  private var nodeCount = 0
  private var root: YAMLValue?

  /// A value with an anchor, and its cost when repeated.
  private struct AnchoredValue {
    var value: YAMLValue
    var nodeCount: Int
    var height: Int
  }

  fileprivate init(_ bytes: [UInt8]) throws(CheckpointError) {
    parser = try YAMLParser(bytes)
  }

  fileprivate static func countDirectives(_ bytes: [UInt8]) -> Int {
    var count = 0
    var isLineStart = true
    for byte in bytes {
      if isLineStart, byte == UInt8(ascii: "%") { count += 1 }
      isLineStart = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }
    return count
  }

  fileprivate consuming func document() throws(CheckpointError) -> YAMLValue {
    var documents = 0
    while true {
      let (event, place) = try parser.next()
      if case .streamEnd = event { break }
      if case .documentStart = event { documents += 1 }
      guard documents <= 1 else {
        throw CheckpointError(.malformed, "the text has a second document")
          .framed(by: place.description)
      }
      try CheckpointError.within(place.description) { () throws(CheckpointError) in
        try handle(event, at: place)
      }
    }
    return root ?? YAMLValue(.null)
  }

  private mutating func handle(_ event: YAMLEvent, at place: YAMLPlace) throws(CheckpointError) {
    switch event {
    case .streamStart, .streamEnd, .documentStart, .documentEnd: break
    case .alias(let name): try repeatValue(of: name, at: place)
    case .scalar(let text, let isPlain, let properties):
      try count(1)
      if isPlain, text == "<<", properties.tag == nil, open.last?.expectsKey == true {
        open[open.count - 1].beginMerge()
        return
      }
      let scalar = try Self.scalar(text, isPlain: isPlain, tag: properties.tag)
      try put(
        YAMLValue(.scalar(scalar), at: place), height: 0, nodeCount: 1, anchor: properties.anchor)
    case .sequenceStart(let properties):
      try begin(.init(.sequence([]), at: place, properties.anchor), properties.tag, "seq")
    case .mappingStart(let properties):
      try begin(.init(.mapping(YAMLMapping()), at: place, properties.anchor), properties.tag, "map")
    case .sequenceEnd, .mappingEnd:
      let collection = open.removeLast()
      try put(
        try collection.value(), height: collection.height,
        nodeCount: nodeCount - collection.nodesBefore, anchor: collection.anchor)
    }
  }

  private mutating func begin(
    _ collection: consuming OpenCollection, _ tag: String?, _ kind: String
  ) throws(CheckpointError) {
    guard tag == nil || tag == "!" || tag == Self.tagPrefix + kind else {
      throw Self.unknownTag(tag ?? "")
    }
    guard open.count < YAMLLimits.depth else { throw Self.tooDeep }
    if open.last?.expectsKey == true {
      throw CheckpointError(.unsupported, "a name is a list or a mapping")
    }
    collection.nodesBefore = nodeCount
    try count(1)
    open.append(collection)
  }

  private mutating func repeatValue(of name: String, at place: YAMLPlace) throws(CheckpointError) {
    guard let anchored = anchors[ExactString(name)] else {
      throw CheckpointError(.malformed, "the alias '*\(name)' has no value before it")
    }
    guard open.count + anchored.height <= YAMLLimits.depth else { throw Self.tooDeep }
    try count(anchored.nodeCount)
    try put(
      YAMLValue(anchored.value.content, at: place), height: anchored.height,
      nodeCount: anchored.nodeCount, anchor: nil)
  }

  /// Adds a complete value to its container.
  private mutating func put(
    _ value: YAMLValue, height: Int, nodeCount: Int, anchor: String?
  ) throws(CheckpointError) {
    if let anchor {
      anchors[ExactString(anchor)] = AnchoredValue(
        value: value, nodeCount: nodeCount, height: height)
    }
    if open.isEmpty {
      root = value
    } else {
      try open[open.count - 1].add(value, height: height)
    }
  }

  private mutating func count(_ nodes: Int) throws(CheckpointError) {
    nodeCount += nodes
    guard nodeCount <= YAMLLimits.nodes else {
      throw CheckpointError(
        .limitExceeded, "more than \(YAMLLimits.nodes) values, including those repeated by aliases")
    }
  }

  private static let tagPrefix = "tag:yaml.org,2002:"

  private static func scalar(
    _ text: String, isPlain: Bool, tag: String?
  ) throws(CheckpointError) -> YAMLScalar {
    guard let tag else { return isPlain ? try PlainScalar.resolve(text) : .string(text) }
    if tag == tagPrefix + "str" { return .string(text) }
    // For PyYAML the tag without a name removes the quotes; by the specification it adds them.
    if tag == "!" { return try PlainScalar.resolve(text) }
    switch (tag, try PlainScalar.resolve(text)) {
    case (tagPrefix + "int", .integer(let value)): return .integer(value)
    case (tagPrefix + "float", .integer(let value)): return .number(Double(value))
    case (tagPrefix + "float", .number(let value)): return .number(value)
    case (tagPrefix + "bool", .bool(let value)): return .bool(value)
    case (tagPrefix + "null", .null): return .null
    default: throw unknownTag(tag)
    }
  }

  private static func unknownTag(_ tag: String) -> CheckpointError {
    CheckpointError(
      .unsupported, "the tag '\(tag)' is unknown or does not fit its value",
      remedy: "write the value without a tag")
  }

  private static var tooDeep: CheckpointError {
    CheckpointError(
      .limitExceeded, "more than \(YAMLLimits.depth) nested collections")
  }
}

/// A list or mapping whose end was not read yet.
struct OpenCollection {
  private var content: YAMLValue.Content
  private let place: YAMLPlace
  /// The anchor, which aliases use to repeat it.
  let anchor: String?
  /// The number of values before it.
  var nodesBefore = 0
  /// The maximum nesting in it, including itself.
  private(set) var height = 1

  /// The name of the next value, in a mapping.
  private var key: YAMLScalar?
  private var isMerging = false
  /// The mappings that `<<` merges, in the order of their entries.
  private var merged: [YAMLMapping] = []

  init(_ content: YAMLValue.Content, at place: YAMLPlace, _ anchor: String?) {
    self.content = content
    self.place = place
    self.anchor = anchor
  }

  /// Whether a name comes next.
  var expectsKey: Bool {
    guard case .mapping = content else { return false }
    return key == nil && !isMerging
  }

  /// Treats the next value as the operand of `<<`.
  mutating func beginMerge() { isMerging = true }

  /// Adds a value, or a name.
  ///
  /// - Throws: `malformed` for a repeated name and for a merge of anything but mappings,
  ///   `unsupported` for a name that is neither text nor a number.
  mutating func add(_ value: YAMLValue, height: Int) throws(CheckpointError) {
    self.height = max(self.height, height + 1)
    switch content {
    case .scalar: break
    case .sequence(var elements):
      // The list must have no other owner here, or each element would copy it.
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
  ) throws(CheckpointError) -> YAMLScalar {
    guard let key = value.scalar, key != .null else {
      throw CheckpointError(.unsupported, "a name is neither text nor a number")
    }
    guard mapping[key] == nil else {
      throw CheckpointError(
        .malformed, "the name '\(key)' is repeated in one mapping", remedy: "remove one of the two"
      )
    }
    return key
  }

  private mutating func merge(_ value: YAMLValue) throws(CheckpointError) {
    // If there are several, the first one wins (https://yaml.org/type/merge.html).
    let sources = value.sequence?.reversed() ?? [value]
    for source in sources {
      guard let mapping = source.mapping else {
        throw CheckpointError(.malformed, "'<<' merges something that is not a mapping")
      }
      merged.append(mapping)
    }
  }

  /// Returns the complete value.
  consuming func value() throws(CheckpointError) -> YAMLValue {
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

/// Limits on the memory and time of a document, each with its reason.
package enum YAMLLimits: Sendable {
  /// The maximum size of a document in bytes; the largest configuration in OLMo's repository has
  /// 0.3 MB.
  package static let documentBytes = 4 << 20
  /// The maximum number of values and names, including those repeated by aliases; each takes about
  /// 150 bytes.
  ///
  /// A few aliases of aliases can stand for billions of values.
  package static let nodes = 1 << 17
  /// The maximum nesting of collections; configurations have five.
  package static let depth = 100
  /// The maximum number of directives; libyaml compares each with all before it.
  package static let directives = 16
}

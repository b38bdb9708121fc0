public import Bytes

extension YAMLValue {
  /// Reads the one document that `bytes` hold; a document without content is `null`.
  ///
  /// Scalars have the values that OmegaConf gives them. A name that stands twice in one mapping is
  /// refused, as OmegaConf does; aliases and merges (`<<`) are replaced by what they stand for.
  ///
  /// - Throws: `malformed` where the text breaks the rules, `unsupported` for kinds of values of
  ///   other programs (`!tag`), `limitExceeded` beyond ``YAMLLimits``; the path has line and column.
  public init(reading bytes: [UInt8]) throws(FormatError) {
    guard bytes.count <= YAMLLimits.documentBytes else {
      throw FormatError(
        .limitExceeded,
        "\(bytes.count) bytes of YAML; more than \(YAMLLimits.documentBytes) are not read")
    }
    guard YAMLReader.countDirectives(bytes) <= YAMLLimits.directives else {
      throw FormatError(
        .limitExceeded, "more than \(YAMLLimits.directives) lines begin with %, like directives")
    }
    self = try YAMLReader(bytes).document()
  }
}

/// Puts the events of a document together to values, without recursion.
struct YAMLReader: ~Copyable {
  private let parser: YAMLParser
  private var open: [OpenCollection] = []
  private var anchors: [ExactString: AnchoredValue] = [:]
  private var nodeCount = 0
  private var root: YAMLValue?

  /// A value with a name, and what repeating it costs.
  private struct AnchoredValue {
    var value: YAMLValue
    var nodeCount: Int
    var height: Int
  }

  fileprivate init(_ bytes: [UInt8]) throws(FormatError) {
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

  fileprivate consuming func document() throws(FormatError) -> YAMLValue {
    var documents = 0
    while true {
      let (event, place) = try parser.next()
      if case .streamEnd = event { break }
      if case .documentStart = event { documents += 1 }
      guard documents <= 1 else {
        throw FormatError(.malformed, "a second document begins where the text should end")
          .framed(by: place.description)
      }
      try FormatError.within(place.description) { () throws(FormatError) in
        try handle(event, at: place)
      }
    }
    return root ?? YAMLValue(.null)
  }

  private mutating func handle(_ event: YAMLEvent, at place: YAMLPlace) throws(FormatError) {
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
  ) throws(FormatError) {
    guard tag == nil || tag == "!" || tag == Self.tagPrefix + kind else {
      throw Self.unknownTag(tag ?? "")
    }
    guard open.count < YAMLLimits.depth else { throw Self.tooDeep }
    if open.last?.expectsKey == true {
      throw FormatError(.unsupported, "a name that is itself a list or a mapping")
    }
    collection.nodesBefore = nodeCount
    try count(1)
    open.append(collection)
  }

  private mutating func repeatValue(of name: String, at place: YAMLPlace) throws(FormatError) {
    guard let anchored = anchors[ExactString(name)] else {
      throw FormatError(.malformed, "the alias '*\(name)' has no value before it")
    }
    guard open.count + anchored.height <= YAMLLimits.depth else { throw Self.tooDeep }
    try count(anchored.nodeCount)
    try put(
      YAMLValue(anchored.value.content, at: place), height: anchored.height,
      nodeCount: anchored.nodeCount, anchor: nil)
  }

  /// Puts a complete value where it belongs.
  private mutating func put(
    _ value: YAMLValue, height: Int, nodeCount: Int, anchor: String?
  ) throws(FormatError) {
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

  private mutating func count(_ nodes: Int) throws(FormatError) {
    nodeCount += nodes
    guard nodeCount <= YAMLLimits.nodes else {
      throw FormatError(
        .limitExceeded, "more than \(YAMLLimits.nodes) values, those repeated by aliases included")
    }
  }

  private static let tagPrefix = "tag:yaml.org,2002:"

  private static func scalar(
    _ text: String, isPlain: Bool, tag: String?
  ) throws(FormatError) -> YAMLScalar {
    guard let tag else { return isPlain ? try PlainScalar.resolve(text) : .string(text) }
    if tag == tagPrefix + "str" { return .string(text) }
    // To PyYAML the tag without a name takes the quotes away; to the specification it adds them.
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

  private static func unknownTag(_ tag: String) -> FormatError {
    FormatError(
      .unsupported, "the tag '\(tag)' is not one of YAML's own, or not one of this value",
      hint: "write the value without a tag")
  }

  private static var tooDeep: FormatError {
    FormatError(
      .limitExceeded, "more than \(YAMLLimits.depth) collections inside one another")
  }
}

internal import CkptBase
internal import CkptGraph
internal import CkptJSON

/// Builds a graph from the node table of a skeleton.
struct SkeletonNodes {
  typealias Place = ParsedSkeleton.TensorReference.Place

  /// The graph.
  ///
  /// It begins with one placeholder for each node of the table.
  var graph: TensorGraph
  /// The tensors and storages, in the order of the document.
  var tensors: [ParsedSkeleton.TensorReference] = []
  private let first: Int
  private let count: Int
  /// The values of the containers that are being read, inner ones last.
  var open: [NodeID] = []
  /// The forms of tensors.
  var forms: [TensorCall] = []
  /// The default key of the next storage.
  var nextKey = 0
  /// The nesting depth of the node that is being read.
  private var depth = 0

  /// Creates a table of `count` nodes.
  ///
  /// - Throws: `limitExceeded` beyond ``Limits/graphNodes``.
  init(count: Int) throws(CheckpointError) {
    graph = TensorGraph()
    first = graph.nodeCount
    self.count = count
    for _ in 0..<count { _ = try graph.add(.none) }
  }

  /// Reads the table.
  ///
  /// Each entry replaces the placeholder of its number.
  ///
  /// - Throws: `malformed` for an invalid node, with its number.
  mutating func readTable(_ json: inout JSONReader) throws(CheckpointError) {
    try json.beginArray()
    var number = 0
    while try json.nextElement() {
      do throws(CheckpointError) {
        guard number < count else {
          throw CheckpointError(.malformed, "there are more nodes than commas", at: json.offset)
        }
        try json.beginArray()
        try next(&json, "the kind")
        try readNode(NodeID(index: first + number), &json)
      } catch {
        throw error.framed(by: "node \(number)")
      }
      number += 1
    }
  }

  // MARK: Values

  /// Reads a value: inline, or a reference to a node.
  mutating func value(_ json: inout JSONReader) throws(CheckpointError) -> NodeID {
    switch try json.peek() {
    case UInt8(ascii: "["):
      if let number = json.bracketedInteger() { return try reference(to: number, json.offset - 1) }
      try json.beginArray()
      guard try json.nextElement() else {
        throw CheckpointError(.malformed, "a reference is empty", at: json.offset)
      }
      guard try json.peek() != UInt8(ascii: "\"") else { return try nodeInPlace(&json) }
      let id = try reference(to: try json.count(), json.offset)
      try endArray(&json)
      return id
    case UInt8(ascii: "\""): return try graph.add(.string(text(&json)))
    case UInt8(ascii: "n"):
      _ = try json.readNull()
      return TensorGraph.none
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      return try json.bool() ? TensorGraph.true : TensorGraph.false
    default:
      switch try json.number() {
      case .integer(let value): return try graph.add(.int(value))
      case .fraction(let value): return try graph.add(.float(value))
      }
    }
  }

  /// Reads a node that is written in place of a reference, after its opening bracket.
  private mutating func nodeInPlace(_ json: inout JSONReader) throws(CheckpointError) -> NodeID {
    guard depth < SkeletonWriter.depthLimit else {
      throw CheckpointError(
        .limitExceeded,
        "nodes are nested more than \(SkeletonWriter.depthLimit) deep", at: json.offset)
    }
    let id = try graph.add(.none)
    depth += 1
    try readNode(id, &json)
    depth -= 1
    return id
  }

  /// Returns the node with a number; `offset` is the position after the number.
  private func reference(to number: Int, _ offset: Int) throws(CheckpointError) -> NodeID {
    guard number < count else {
      throw CheckpointError(
        .malformed, "found a reference to node \(number), but the skeleton has \(count) nodes",
        at: offset)
    }
    return NodeID(index: first + number)
  }

  /// Reads a str.
  mutating func text(_ json: inout JSONReader) throws(CheckpointError) -> ByteRun {
    if let plain = try json.plainString() { return try graph.addBytes(plain) }
    return try graph.addBytes(json.string().utf8.span)
  }

  /// Reads an array of values.
  mutating func values(_ json: inout JSONReader) throws(CheckpointError) -> [NodeID] {
    try json.beginArray()
    let run = try run(&json)
    return Array(graph[run])
  }

  /// Reads the values up to the end of the array.
  mutating func run(_ json: inout JSONReader) throws(CheckpointError) -> NodeRun {
    let start = open.count
    while try json.nextElement() { open.append(try value(&json)) }
    let run = graph.addChildren(open[start...])
    open.removeLast(open.count - start)
    return run
  }

  private mutating func pairs(_ json: inout JSONReader) throws(CheckpointError) -> NodeRun {
    let pairs = try run(&json)
    guard pairs.count.isMultiple(of: 2) else {
      throw CheckpointError(.malformed, "a key has no value", at: json.offset)
    }
    return pairs
  }

  func next(_ json: inout JSONReader, _ what: String) throws(CheckpointError) {
    guard try json.nextElement() else {
      throw CheckpointError(.malformed, "\(what) is missing", at: json.offset)
    }
  }

  func endArray(_ json: inout JSONReader) throws(CheckpointError) {
    guard try !json.nextElement() else {
      throw CheckpointError(.malformed, "an array has too many elements", at: json.offset)
    }
  }

  // MARK: Nodes

  /// The kind of a node, by its first word.
  private enum Kind: String, CaseIterable {
    case tensor, tuple, dict, call, str, list, storage, persistent, global, int, float, bytes
    case byteArray = "bytearray"
    case set
    case frozenSet = "frozenset"
    case new
    case newWithKeywords = "new_ex"
    case instance

    /// The words in the order of the cases.
    static let names = allCases.map(\.rawValue)
    /// All cases, computed once.
    static let all = allCases
  }

  /// Reads the kind and the parts of a node.
  private mutating func readNode(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(CheckpointError) {
    switch try kind(&json) {
    case .dict: graph.replace(id, with: .dict(try pairs(&json)))
    case .list: graph.replace(id, with: .list(try run(&json)))
    case .tuple: graph.replace(id, with: .tuple(try run(&json)))
    case .set: graph.replace(id, with: .set(try run(&json)))
    case .frozenSet: graph.replace(id, with: .frozenSet(try run(&json)))
    case .str: try readString(id, &json)
    case .int: try readInteger(id, &json)
    case .float: try readFloat(id, &json)
    case .bytes: try readBytes(id, &json)
    case .byteArray:
      try next(&json, "the base64")
      graph.replace(id, with: .byteArray(try base64(&json)))
      try endArray(&json)
    case .global:
      try next(&json, "the module")
      let module = try value(&json)
      try next(&json, "the name")
      graph.replace(id, with: .global(module: module, name: try value(&json)))
      try endArray(&json)
    case .persistent:
      try next(&json, "the id")
      graph.replace(id, with: .persistent(try value(&json)))
      try endArray(&json)
    case .tensor: try readTensor(id, isStorage: false, &json)
    case .storage: try readTensor(id, isStorage: true, &json)
    case let kind: graph.place(try call(kind, &json), at: id)
    }
  }

  private func kind(_ json: inout JSONReader) throws(CheckpointError) -> Kind {
    if let number = try json.word(among: Kind.names) { return Kind.all[number] }
    let name = try json.string()
    guard let kind = Kind(rawValue: name) else {
      throw CheckpointError(.malformed, "'\(name)' is not a kind of node", at: json.offset)
    }
    return kind
  }

  /// Reads the remaining elements of a node that describes a call.
  private mutating func call(
    _ kind: Kind, _ json: inout JSONReader
  ) throws(CheckpointError) -> ObjectNode {
    let form: ObjectNode.Form
    switch kind {
    case .call: form = .call
    case .new: form = .new
    case .newWithKeywords: form = .newWithKeywords
    case .instance: form = .instance
    default:
      throw CheckpointError(
        .malformed, "'\(kind.rawValue)' is not a kind of node", at: json.offset)
    }
    try next(&json, "the callable")
    let callable = try value(&json)
    try next(&json, "the arguments")
    var object = ObjectNode(form: form, callable: callable, arguments: try value(&json))
    if form == .newWithKeywords {
      try next(&json, "the keywords")
      object.keywords = try value(&json)
    }
    if try json.nextElement() {
      try readContents(of: &object, &json)
      try endArray(&json)
    }
    return object
  }

  private mutating func readContents(
    of object: inout ObjectNode, _ json: inout JSONReader
  ) throws(CheckpointError) {
    try json.beginObject()
    while let key = try json.nextKey() {
      switch key {
      case "items":
        try json.beginArray()
        object.items = try run(&json)
      case "pairs":
        try json.beginArray()
        object.pairs = try pairs(&json)
      case "state": object.state = try value(&json)
      default:
        throw CheckpointError(
          .malformed, "unknown member '\(key)' in an object node", at: json.offset)
      }
    }
  }

  private mutating func readTensor(
    _ id: NodeID, isStorage: Bool, _ json: inout JSONReader
  ) throws(CheckpointError) {
    try next(&json, "the name")
    if !isStorage, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(try json.peek()) {
      return try readTensorByForm(id, &json)
    }
    let place = try json.readNull() ? Place.nowhere : .entry(try json.string())
    try next(&json, "the construction")
    var hasConstruction = true
    if isStorage {
      graph.replace(id, with: .persistent(try value(&json)))
    } else if try json.readNull() {
      hasConstruction = false
    } else {
      try json.beginArray()
      try next(&json, "the kind")
      graph.place(try call(try kind(&json), &json), at: id)
    }
    // The shape and dtype of an entry of raw bytes are for readers that do not know the
    // constructions.
    if try json.nextElement() {
      try json.skipValue()
      try endArray(&json)
    }
    tensors.append(.init(node: id, place: place, hasConstruction: hasConstruction))
  }
}

internal import Bytes
internal import Graph
internal import JSON

/// Builds a graph from the table of nodes of a skeleton.
struct SkeletonNodes {
  /// The graph: first as many placeholders as the table has nodes.
  var graph: TensorGraph
  /// The tensors and storages, in the order of the table.
  private(set) var tensors: [Skeleton.TensorReference] = []
  private let first: Int
  private let count: Int

  /// A table of `count` nodes.
  ///
  /// - Throws: `limitExceeded` beyond ``Limits/graphNodes``.
  init(count: Int) throws(FormatError) {
    graph = TensorGraph()
    first = graph.nodeCount
    self.count = count
    for _ in 0..<count { _ = try graph.add(.none) }
  }

  /// Reads the table; each entry takes the place of its number.
  ///
  /// - Throws: `malformed` for a node of another form, with its number.
  mutating func readTable(_ json: inout JSONReader) throws(FormatError) {
    try json.beginArray()
    var number = 0
    while try json.nextElement() {
      do throws(FormatError) {
        try readNode(NodeID(index: first + number), &json)
      } catch {
        throw error.framed(by: "node \(number)")
      }
      number += 1
    }
  }

  // MARK: Values

  /// Reads a value: inline, or a reference to a node.
  mutating func value(_ json: inout JSONReader) throws(FormatError) -> NodeID {
    switch try json.peek() {
    case UInt8(ascii: "["):
      try json.beginArray()
      guard try json.nextElement() else {
        throw FormatError(.malformed, "a reference is empty", at: json.offset)
      }
      let number = try json.unsignedInteger()
      guard number < UInt64(count) else {
        throw FormatError(
          .malformed, "a reference to node \(number) of \(count)", at: json.offset)
      }
      try endArray(&json)
      return NodeID(index: first + Int(number))
    case UInt8(ascii: "\""): return try graph.addString(try json.string())
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

  /// Reads an array of values.
  mutating func values(_ json: inout JSONReader) throws(FormatError) -> [NodeID] {
    try json.beginArray()
    return try rest(&json)
  }

  /// Reads the values up to the end of the array.
  private mutating func rest(_ json: inout JSONReader) throws(FormatError) -> [NodeID] {
    var values: [NodeID] = []
    while try json.nextElement() { values.append(try value(&json)) }
    return values
  }

  private mutating func run(_ json: inout JSONReader) throws(FormatError) -> NodeRun {
    let values = try rest(&json)
    return graph.addChildren(values[...])
  }

  private mutating func pairs(_ json: inout JSONReader) throws(FormatError) -> NodeRun {
    let values = try rest(&json)
    guard values.count.isMultiple(of: 2) else {
      throw FormatError(.malformed, "a key has no value", at: json.offset)
    }
    return graph.addChildren(values[...])
  }

  func next(_ json: inout JSONReader, _ what: String) throws(FormatError) {
    guard try json.nextElement() else {
      throw FormatError(.malformed, "\(what) is missing", at: json.offset)
    }
  }

  func endArray(_ json: inout JSONReader) throws(FormatError) {
    guard try !json.nextElement() else {
      throw FormatError(.malformed, "an array has more elements than it may", at: json.offset)
    }
  }

  // MARK: Nodes

  private mutating func readNode(
    _ id: NodeID, _ json: inout JSONReader
  ) throws(FormatError) {
    try json.beginArray()
    try next(&json, "the kind")
    let kind = try json.string()
    switch kind {
    case "dict": graph.replace(id, with: .dict(try pairs(&json)))
    case "list": graph.replace(id, with: .list(try run(&json)))
    case "tuple": graph.replace(id, with: .tuple(try run(&json)))
    case "set": graph.replace(id, with: .set(try run(&json)))
    case "frozenset": graph.replace(id, with: .frozenSet(try run(&json)))
    case "str": try readString(id, &json)
    case "int": try readInteger(id, &json)
    case "float": try readFloat(id, &json)
    case "bytes": try readBytes(id, &json)
    case "bytearray":
      try next(&json, "the base64")
      graph.replace(id, with: .byteArray(try base64(&json)))
      try endArray(&json)
    case "global":
      try next(&json, "the module")
      let module = try value(&json)
      try next(&json, "the name")
      graph.replace(id, with: .global(module: module, name: try value(&json)))
      try endArray(&json)
    case "persistent":
      try next(&json, "the id")
      graph.replace(id, with: .persistent(try value(&json)))
      try endArray(&json)
    case "tensor", "storage": try readTensor(id, isStorage: kind == "storage", &json)
    default: graph.place(try call(kind, &json), at: id)
    }
  }

  /// Reads the rest of a node that describes a call.
  private mutating func call(
    _ kind: String, _ json: inout JSONReader
  ) throws(FormatError) -> ObjectNode {
    let form: ObjectNode.Form
    switch kind {
    case "call": form = .call
    case "new": form = .new
    case "new_ex": form = .newWithKeywords
    case "instance": form = .instance
    default: throw FormatError(.malformed, "'\(kind)' is no kind of node", at: json.offset)
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
  ) throws(FormatError) {
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
        throw FormatError(.malformed, "'\(key)' is nothing to do to an object", at: json.offset)
      }
    }
  }

  private mutating func readTensor(
    _ id: NodeID, isStorage: Bool, _ json: inout JSONReader
  ) throws(FormatError) {
    try next(&json, "the name")
    let name = try json.readNull() ? nil : try json.string()
    try next(&json, "the construction")
    var hasConstruction = true
    if isStorage {
      graph.replace(id, with: .persistent(try value(&json)))
    } else if try json.readNull() {
      hasConstruction = false
    } else {
      try json.beginArray()
      try next(&json, "the kind")
      graph.place(try call(try json.string(), &json), at: id)
    }
    // The form of an entry in disguise is for readers that do not know the constructions.
    if try json.nextElement() {
      try json.skipValue()
      try endArray(&json)
    }
    tensors.append(.init(node: id, name: name, hasConstruction: hasConstruction))
  }
}

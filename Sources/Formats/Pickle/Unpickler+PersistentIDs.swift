internal import CkptBase
internal import CkptGraph

/// Persistent ids: what PyTorch puts in the place of storages, and in the legacy format of classes.
extension Unpickler {
  /// Pushes what an id stands for: a class that PyTorch wrapped, or something that the caller knows.
  mutating func pushPersistent(_ id: NodeID) throws(CheckpointError) {
    if let type = graph.classWithSource(id) { return push(type) }
    push(try graph.add(.persistent(id)))
  }

  /// Pushes what the id on a line of text stands for: PERSID.
  ///
  /// Protocol 0 knows ids of text only, and PyTorch's are tuples. Python's pickler wrote their `repr`,
  /// which no PyTorch reads.
  mutating func pushTextPersistentID(_ reader: inout ByteReader) throws(CheckpointError) {
    let line = try readASCIILine(&reader)
    guard let items = TupleText.items(of: line) else {
      return push(try graph.add(.persistent(graph.addString(line))))
    }
    var nodes: [NodeID] = []
    for item in items { nodes.append(try node(item)) }
    try pushPersistent(graph.add(.tuple(graph.addChildren(nodes[...]))))
  }

  private mutating func node(_ item: TupleText.Item) throws(CheckpointError) -> NodeID {
    switch item {
    case .none: TensorGraph.none
    case .int(let value): try graph.add(.int(value))
    case .type(let module, let name): try global(module, name)
    case .string(let literal):
      try graph.add(.string(graph.addBytes(unescape(Array(literal.utf8).span))))
    }
  }
}

extension TensorGraph {
  /// The class in an id `('module', class, source file, source)`, or in PyTorch 0.1
  /// `(class, source file, source)`; `nil` for another id.
  ///
  /// torch.load takes the class (`torch/serialization.py`, `_legacy_load`).
  fileprivate func classWithSource(_ id: NodeID) -> NodeID? {
    guard let items = tuple(id), items.count == 3 || items.count == 4, let first = items.first
    else { return nil }
    if items.count == 4 {
      return text(of: first, equals: "module") ? items[items.startIndex + 1] : nil
    }
    guard case .global = self[first] else { return nil }
    return first
  }
}

/// A tuple of plain values in Python's own notation, as `repr` writes it.
private enum TupleText {
  /// A value in it.
  enum Item {
    case none
    case int(Int)
    /// The text between the quotes, with its escapes.
    case string(Substring)
    /// `<class 'module.name'>`
    case type(module: String, name: String)
  }

  /// The values of the tuple that `line` is; `nil` for other text.
  static func items(of line: String) -> [Item]? {
    var text = line[...]
    guard take("(", from: &text) else { return nil }
    var items: [Item] = []
    while let item = takeItem(from: &text) {
      items.append(item)
      if text == ")" { return items }
      guard take(", ", from: &text) else { return nil }
    }
    return nil
  }

  private static func take(_ start: String, from text: inout Substring) -> Bool {
    guard text.hasPrefix(start) else { return false }
    text = text.dropFirst(start.count)
    return true
  }

  private static func takeItem(from text: inout Substring) -> Item? {
    if take("None", from: &text) { return Item.none }
    if take("<class ", from: &text) {
      guard let name = takeString(from: &text), take(">", from: &text),
        let dot = name.lastIndex(of: ".")
      else { return nil }
      return .type(module: String(name[..<dot]), name: String(name[name.index(after: dot)...]))
    }
    if let string = takeString(from: &text) { return .string(string) }
    let digits = text.prefix { $0 == "-" || $0.isNumber }
    text = text.dropFirst(digits.count)
    return Int(digits).map { .int($0) }
  }

  /// Takes a str in quotes, with its escapes.
  private static func takeString(from text: inout Substring) -> Substring? {
    guard let quote = text.first, quote == "'" || quote == "\"" else { return nil }
    let literal = text.dropFirst()
    var isEscaped = false
    for index in literal.indices {
      if !isEscaped, literal[index] == quote {
        text = literal[literal.index(after: index)...]
        return literal[..<index]
      }
      isEscaped = !isEscaped && literal[index] == "\\"
    }
    return nil
  }
}

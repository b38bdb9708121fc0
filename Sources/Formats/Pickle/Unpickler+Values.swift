internal import CkptBase
internal import CkptGraph

/// Numbers, text and bytes of the binary protocols.
extension Unpickler {
  mutating func pushInt(_ value: Int) throws(CheckpointError) { push(try graph.add(.int(value))) }

  mutating func pushLong(byteCount: Int, _ reader: inout ByteReader) throws(CheckpointError) {
    try pushLong(littleEndian: reader.readBytes(count: byteCount))
  }

  /// Pushes an int from little-endian two's complement of any length.
  mutating func pushLong(littleEndian bytes: Span<UInt8>) throws(CheckpointError) {
    if let value = Self.int(littleEndian: bytes) { return try pushInt(value) }
    let count = Self.minimalCount(of: bytes)
    push(try graph.add(.largeInt(graph.addBytes(bytes.extracting(first: count)))))
  }

  /// The int that `bytes` hold in little-endian two's complement, if it fits 64 bits.
  static func int(littleEndian bytes: Span<UInt8>) -> Int? {
    let count = minimalCount(of: bytes)
    guard count <= 8 else { return nil }
    var value = count > 0 && bytes[count - 1] & 0x80 != 0 ? -1 : 0
    for index in (0..<count).reversed() { value = value << 8 | Int(bytes[index]) }
    return value
  }

  /// The number of bytes that a little-endian int in two's complement needs.
  private static func minimalCount(of bytes: Span<UInt8>) -> Int {
    var count = bytes.count
    while count > 1, bytes[count - 1] == (bytes[count - 2] & 0x80 == 0 ? 0x00 : 0xff) { count -= 1 }
    return count
  }

  mutating func pushBinaryFloat(_ reader: inout ByteReader) throws(CheckpointError) {
    let bits = try reader.readBigEndianInteger(as: UInt64.self)
    push(try graph.add(.float(Double(bitPattern: bits))))
  }

  mutating func pushText(_ byteCount: Int, _ reader: inout ByteReader) throws(CheckpointError) {
    let bytes = try reader.readBytes(count: byteCount)
    guard PythonText.isUTF8WithSurrogates(bytes) else {
      throw CheckpointError(.malformed, "a str of \(byteCount) bytes is not UTF-8")
    }
    push(try graph.add(.string(graph.addBytes(bytes))))
  }

  mutating func pushBytes(_ byteCount: Int, _ reader: inout ByteReader) throws(CheckpointError) {
    push(try graph.add(.bytes(graph.addBytes(reader.readBytes(count: byteCount)))))
  }

  mutating func pushByteArray(_ byteCount: Int, _ reader: inout ByteReader) throws(CheckpointError)
  {
    push(try graph.add(.byteArray(graph.addBytes(reader.readBytes(count: byteCount)))))
  }

  /// Pushes a Python 2 str: as a str if it is UTF-8, as torch decodes it, otherwise as bytes.
  mutating func pushOldString(_ byteCount: Int, _ reader: inout ByteReader) throws(CheckpointError)
  {
    try pushOldString(reader.readBytes(count: byteCount))
  }

  mutating func pushOldString(_ bytes: Span<UInt8>) throws(CheckpointError) {
    let run = try graph.addBytes(bytes)
    push(try graph.add(PythonText.isUTF8WithSurrogates(bytes) ? .string(run) : .bytes(run)))
  }
}

/// Tuples, lists, dicts and sets, and the opcodes that fill them.
extension Unpickler {
  mutating func pushTuple(count: Int) throws(CheckpointError) {
    guard stack.count - (marks.last ?? 0) >= count else { throw Self.underflow }
    push(try graph.add(.tuple(takeChildren(above: stack.count - count))))
  }

  mutating func pushTuple(above height: Int) throws(CheckpointError) {
    guard stack.count > height else { return push(TensorGraph.emptyTuple) }
    push(try graph.add(.tuple(takeChildren(above: height))))
  }

  mutating func pushDict(of items: ArraySlice<NodeID>) throws(CheckpointError) {
    try checkPairs(items)
    push(try graph.add(.dict(graph.addChildren(items))))
  }

  mutating func append(_ items: ArraySlice<NodeID>) throws(CheckpointError) {
    let target = try top()
    switch graph[target] {
    case .list(var run):
      graph.append(items, to: &run)
      graph.replace(target, with: .list(run))
    case .object(let id):
      var run = graph[id].items
      graph.append(items, to: &run)
      graph[id].items = run
    default:
      try passOver(
        .append, of: target, isEmpty: items.isEmpty,
        orThrow: CheckpointError(
          .malformed, "the pickle appends items to something that is not a list"))
    }
  }

  mutating func setItem() throws(CheckpointError) {
    guard stack.count - (marks.last ?? 0) >= 2 else { throw Self.underflow }
    let pair = Array(stack.suffix(2))
    stack.removeLast(2)
    try setItems(pair[...])
  }

  mutating func setItems(_ pairs: ArraySlice<NodeID>) throws(CheckpointError) {
    try checkPairs(pairs)
    let target = try top()
    switch graph[target] {
    case .dict(var run):
      graph.append(pairs, to: &run)
      graph.replace(target, with: .dict(run))
    case .object(let id):
      var run = graph[id].pairs
      graph.append(pairs, to: &run)
      graph[id].pairs = run
    default:
      try passOver(
        .setItems, of: target, isEmpty: pairs.isEmpty,
        orThrow: CheckpointError(.malformed, "the pickle sets keys in something that is not a dict")
      )
    }
  }

  mutating func addItems(_ items: ArraySlice<NodeID>) throws(CheckpointError) {
    let target = try top()
    guard case .set(var run) = graph[target] else {
      return try passOver(
        .add, of: target, isEmpty: items.isEmpty,
        orThrow: CheckpointError(.malformed, "the pickle adds items to something that is not a set")
      )
    }
    graph.append(items, to: &run)
    graph.replace(target, with: .set(run))
    fillsSets = true
  }

  private func checkPairs(_ items: ArraySlice<NodeID>) throws(CheckpointError) {
    guard items.count.isMultiple(of: 2) else {
      throw CheckpointError(.malformed, "a dict has a key without a value")
    }
  }
}

internal import CkptBase
internal import CkptGraph

/// A value of numbers, strings, lists and dicts, for a checkpoint.
///
/// Literals of Swift can be used: `checkpoint.setValue("betas", to: [0.9, 0.999])`.
@nonexhaustive
public enum PlainValue: Hashable, Sendable {
  /// `None`.
  case none
  /// `True` or `False`.
  case bool(Bool)
  /// An int.
  case int(Int)
  /// A float.
  case float(Double)
  /// A str.
  case string(String)
  /// A list.
  case list([PlainValue])
  /// A dict with str keys, in order; the last of equal keys counts.
  case dict([Entry])

  /// An entry of a dict.
  public struct Entry: Hashable, Sendable {
    /// The key.
    public var key: String
    /// The value.
    public var value: PlainValue

    /// Creates an entry.
    public init(_ key: String, _ value: PlainValue) {
      self.key = key
      self.value = value
    }
  }
}

extension PlainValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// `None`.
  public init(nilLiteral: ()) { self = .none }
  /// `True` or `False`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// An int.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// A float.
  public init(floatLiteral value: Double) { self = .float(value) }
  /// A str.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A list.
  public init(arrayLiteral elements: PlainValue...) { self = .list(elements) }
  /// A dict.
  public init(dictionaryLiteral entries: (String, PlainValue)...) {
    self = .dict(entries.map { Entry($0.0, $0.1) })
  }
}

extension TensorGraph {
  /// Adds a value.
  ///
  /// - Throws: `limitExceeded` if the graph is full.
  mutating func addValue(_ value: PlainValue) throws(CheckpointError) -> NodeID {
    switch value {
    case .none: return Self.none
    case .bool(let value): return value ? Self.true : Self.false
    case .int(let value): return try add(.int(value))
    case .float(let value): return try add(.float(value))
    case .string(let text): return try addString(text)
    case .list(let items):
      var nodes: [NodeID] = []
      for item in items { nodes.append(try addValue(item)) }
      return try add(.list(addChildren(nodes[...])))
    case .dict(let entries):
      let first = nodeCount
      var pairs: [(key: NodeID, value: NodeID)] = []
      for entry in entries { pairs.append((try addString(entry.key), try addValue(entry.value))) }
      let dict = try addDict(pairs)
      try unifyEqualKeys(from: first)
      return dict
    }
  }
}

/// A Python object as a test writes it down, and the pickle that makes it.
///
/// The pickle is plain: nothing is memoized but what the test shares by ``memoized(_:_:)``. A test
/// that is about single operations puts them in with ``operations(_:)``.
package indirect enum PickledValue: Sendable {
  /// `None`.
  case none
  /// `True` or `False`.
  case bool(Bool)
  /// An int.
  case int(Int)
  /// A float.
  case float(Double)
  /// A str.
  case str(String)
  /// A bytes object.
  case bytes([UInt8])
  /// A tuple.
  case tuple([PickledValue])
  /// A list.
  case list([PickledValue])
  /// A dict, as alternating keys and values.
  case dict([PickledValue])
  /// A class or function by module and name, as the protocol spells them.
  case global(String, String)
  /// `callable(*arguments)`.
  case call(PickledValue, [PickledValue])
  /// `class.__new__(class, *arguments)`.
  case new(PickledValue, [PickledValue])
  /// An object that is given items, or keys and values.
  case filled(PickledValue, items: [PickledValue] = [], pairs: [PickledValue] = [])
  /// An object that is given a state.
  case built(PickledValue, state: PickledValue)
  /// The object of a persistent id.
  case persistent(PickledValue)
  /// A value that is put into the memo.
  case memoized(UInt8, PickledValue)
  /// The value in that place of the memo.
  case memo(UInt8)
  /// Operations that leave one value on the stack.
  case operations([UInt8])

  /// The pickle, with a PROTO operation in front and STOP behind.
  package func pickle(protocol version: UInt8 = 2) -> [UInt8] {
    [0x80, version] + program + [UInt8(ascii: ".")]
  }

  /// The operations that leave the value on the stack.
  package var program: [UInt8] {
    switch self {
    case .none: Array("N".utf8)
    case .bool(let value): [value ? 0x88 : 0x89]
    case .int(let value):
      if let small = Int32(exactly: value) {
        Array("J".utf8) + littleEndian(small)
      } else {
        [0x8a, 8] + littleEndian(value)
      }
    case .float(let value): Array("G".utf8) + littleEndian(value.bitPattern).reversed()
    case .str(let text): Array("X".utf8) + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
    case .bytes(let bytes): Array("B".utf8) + littleEndian(UInt32(bytes.count)) + bytes
    case .tuple(let items): marked(items, "t")
    case .list(let items): Array("]".utf8) + marked(items, "e")
    case .dict(let items): Array("}".utf8) + marked(items, "u")
    case .global(let module, let name): Array("c\(module)\n\(name)\n".utf8)
    case .call(let callable, let arguments):
      callable.program + marked(arguments, "t") + Array("R".utf8)
    case .new(let callable, let arguments): callable.program + marked(arguments, "t") + [0x81]
    case .filled(let object, let items, let pairs):
      object.program + (items.isEmpty ? [] : marked(items, "e"))
        + (pairs.isEmpty ? [] : marked(pairs, "u"))
    case .built(let object, let state): object.program + state.program + Array("b".utf8)
    case .persistent(let id): id.program + Array("Q".utf8)
    case .memoized(let place, let value): value.program + Array("q".utf8) + [place]
    case .memo(let place): Array("h".utf8) + [place]
    case .operations(let bytes): bytes
    }
  }

  private func marked(_ items: [PickledValue], _ operation: String) -> [UInt8] {
    if items.isEmpty, operation == "t" { return Array(")".utf8) }
    return Array("(".utf8) + items.flatMap(\.program) + Array(operation.utf8)
  }
}

extension PickledValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// An int.
  package init(integerLiteral value: Int) { self = .int(value) }
  /// A float.
  package init(floatLiteral value: Double) { self = .float(value) }
  /// `True` or `False`.
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A str.
  package init(stringLiteral text: String) { self = .str(text) }
  /// A list.
  package init(arrayLiteral items: PickledValue...) { self = .list(items) }
  /// A dict.
  package init(dictionaryLiteral pairs: (PickledValue, PickledValue)...) {
    self = .dict(pairs.flatMap { [$0.0, $0.1] })
  }
}

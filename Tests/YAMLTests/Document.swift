import CkptBase
package import CkptYAML

/// Short ways to write the values that tests expect.
func read(_ text: String) throws -> YAMLValue { try YAMLValue(reading: Array(text.utf8)) }

func written(_ value: YAMLValue) throws -> String {
  String(decoding: try value.document(), as: UTF8.self)
}

extension YAMLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// Text.
  public init(stringLiteral text: String) { self.init(.string(text)) }
  /// An integer.
  public init(integerLiteral value: Int) { self.init(.integer(value)) }
  /// A number.
  public init(floatLiteral value: Double) { self.init(.number(value)) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self.init(.bool(value)) }
  /// A list.
  package init(arrayLiteral elements: YAMLValue...) { self.init(.sequence(elements)) }
  /// A mapping in this order.
  package init(dictionaryLiteral entries: (String, YAMLValue)...) {
    var mapping = YAMLMapping()
    for (key, value) in entries { mapping[key] = value }
    self.init(.mapping(mapping))
  }
}

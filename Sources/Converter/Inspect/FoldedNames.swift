internal import CkptBase

/// Rows whose names differ only in numbers, such as the layers of a model, as one row.
package struct FoldedRows<Row> {
  /// Rows that became one.
  package struct Group {
    /// The common name, with ranges of numbers: `blocks.0-23.att_proj.weight`.
    package var name: String
    /// The rows, in order; one or more.
    package var rows: [Row]

    /// Creates a group.
    package init(name: String, rows: [Row]) {
      (self.name, self.rows) = (name, rows)
    }
  }

  /// The groups, in the order of their first rows.
  package private(set) var groups: [Group] = []

  /// Folds `rows` that have one `kind` and names that differ only in numbers.
  package init(_ rows: [Row], name: (Row) -> String, kind: (Row) -> String) {
    var places: [ExactString: Int] = [:]
    var patterns: [NumberedName] = []
    for row in rows {
      let pattern = NumberedName(name(row))
      let key = ExactString("\(kind(row))\n\(pattern.key)")
      if let place = places[key] {
        groups[place].rows.append(row)
        patterns[place].merge(pattern)
      } else {
        places[key] = groups.count
        groups.append(Group(name: name(row), rows: [row]))
        patterns.append(pattern)
      }
    }
    for index in groups.indices where groups[index].rows.count > 1 {
      groups[index].name = patterns[index].text
    }
  }
}

/// A dotted name whose numbers stand for many.
struct NumberedName {
  /// The text between the numbers; there is one more of them than numbers.
  private var parts: [Substring] = [""]
  /// The numbers that stand at each place.
  private var numbers: [Set<Int>] = []

  /// The maximum number of digits of an index.
  private static let digits = 7

  /// Finds the numbers among the components of `name`.
  init(_ name: String) {
    var start = name.startIndex
    var end = start
    let bytes = name.utf8
    // The component that begins at `start` ends at `end`; `part` began at `first`.
    var first = start
    while true {
      if end == bytes.endIndex || bytes[end] == UInt8(ascii: ".") {
        if let number = Self.number(name[start..<end]) {
          parts[parts.count - 1] = name[first..<start]
          parts.append("")
          numbers.append([number])
          first = end
        }
        guard end < bytes.endIndex else { break }
        start = bytes.index(after: end)
      }
      bytes.formIndex(after: &end)
    }
    parts[parts.count - 1] = name[first...]
  }

  /// Returns the number that a component is, in the form in which Python writes it.
  static func number(_ component: Substring) -> Int? {
    let bytes = component.utf8
    guard (1...digits).contains(bytes.count), bytes.allSatisfy({ (0x30...0x39).contains($0) }),
      bytes.count == 1 || bytes.first != 0x30
    else { return nil }
    return Int(component)
  }

  /// The name without its numbers, which equal names have in common.
  var key: String { parts.joined(separator: "#") }

  /// Adds the numbers of a name with the same key.
  mutating func merge(_ other: NumberedName) {
    for index in numbers.indices { numbers[index].formUnion(other.numbers[index]) }
  }

  /// The name with ranges in place of its numbers.
  var text: String {
    zip(parts, numbers.map(NumberRange.text) + [""]).reduce(into: "") { $0 += $1.0 + $1.1 }
  }
}

/// The numbers of several layers in words.
enum NumberRange {
  /// The maximum number of ranges to write out.
  private static let limit = 3

  /// Returns ranges such as `0-3,7`; of many, only the first and the last number.
  static func text(_ numbers: Set<Int>) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers.sorted() {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    if ranges.count > limit, let first = ranges.first, let last = ranges.last {
      ranges = [first.lowerBound...last.upperBound]
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}

/// The order that people expect of numbered names: `step9` before `step10`.
enum NaturalOrder {
  /// Whether `left` comes before `right`.
  static func precedes(_ left: String, _ right: String) -> Bool {
    let (one, other) = (Array(left.utf8), Array(right.utf8))
    var (first, second) = (0, 0)
    while first < one.count, second < other.count {
      let (number, otherNumber) = (digits(one, from: first), digits(other, from: second))
      if !number.isEmpty, !otherNumber.isEmpty {
        let (value, otherValue) = (withoutZeros(number), withoutZeros(otherNumber))
        if value.count != otherValue.count { return value.count < otherValue.count }
        if !value.elementsEqual(otherValue) { return value.lexicographicallyPrecedes(otherValue) }
        first = number.endIndex
        second = otherNumber.endIndex
      } else if one[first] == other[second] {
        first += 1
        second += 1
      } else {
        return one[first] < other[second]
      }
    }
    // Names that differ in leading zeros only are told apart, so that the order is total.
    let (rest, otherRest) = (one.count - first, other.count - second)
    return rest == otherRest ? left < right : rest < otherRest
  }

  private static func digits(_ text: [UInt8], from start: Int) -> ArraySlice<UInt8> {
    text[start...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  private static func withoutZeros(_ digits: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    digits.drop { $0 == UInt8(ascii: "0") }
  }
}

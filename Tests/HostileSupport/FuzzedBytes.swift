/// Takes apart what libFuzzer hands over.
///
/// Parts that depend on each other, such as a header and the bytes it speaks of, stand in one input
/// with their lengths in front, so that seeds can be whole and mutations reach both.
package struct FuzzedBytes {
  private var rest: ArraySlice<UInt8>

  /// The bytes of one input.
  package init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    rest = [UInt8](UnsafeBufferPointer(start: start, count: count))[...]
  }

  /// The next byte; zero when there is none.
  package mutating func byte() -> Int { Int(rest.popFirst() ?? 0) }

  /// The next two bytes as a number, the least significant first.
  package mutating func length() -> Int { byte() | byte() << 8 }

  /// Up to `count` bytes.
  package mutating func bytes(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  /// All bytes that are left.
  package mutating func remainder() -> [UInt8] { bytes(rest.count) }
}

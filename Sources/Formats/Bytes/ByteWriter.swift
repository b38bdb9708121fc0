/// Bytes under construction: headers, pickles and everything else small enough for memory.
///
/// Every function takes one type. A generic one could not be specialised for its callers: they are in
/// other modules, and the compiler offers bodies of `package` functions to no other module.
package struct ByteWriter: Sendable {
  /// What has been written so far.
  package private(set) var bytes: [UInt8] = []

  /// An empty writer with room for `capacity` bytes.
  package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  /// How many bytes have been written.
  package var count: Int { bytes.count }

  /// Appends one byte.
  package mutating func write(_ byte: UInt8) { bytes.append(byte) }

  /// Appends a run of bytes.
  package mutating func write(_ run: [UInt8]) { bytes.append(contentsOf: run) }

  /// Appends a run of bytes.
  package mutating func write(_ run: ArraySlice<UInt8>) { bytes.append(contentsOf: run) }

  /// Appends one byte `count` times.
  package mutating func write(_ byte: UInt8, count: Int) {
    bytes.append(contentsOf: repeatElement(byte, count: count))
  }

  /// Appends an integer, least significant byte first.
  package mutating func write(integer value: UInt16) { append(value) }

  /// Appends an integer, least significant byte first.
  package mutating func write(integer value: UInt32) { append(value) }

  /// Appends an integer, least significant byte first.
  package mutating func write(integer value: UInt64) { append(value) }

  /// Appends an integer, most significant byte first.
  package mutating func write(bigEndian value: UInt64) { append(value.byteSwapped) }

  /// Overwrites eight bytes at `offset` with an integer, least significant byte first.
  package mutating func patch(_ value: UInt64, at offset: Int) {
    for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }

  /// Removes the bytes of `range`.
  package mutating func remove(_ range: Range<Int>) { bytes.removeSubrange(range) }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }
}

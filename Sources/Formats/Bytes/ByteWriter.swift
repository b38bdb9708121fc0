/// Bytes under construction: headers, pickles and everything else small enough for memory.
package struct ByteWriter: Sendable {
  @usableFromInline var storage: [UInt8]

  /// An empty writer with room for `capacity` bytes.
  @inlinable package init(capacity: Int = 0) {
    storage = []
    storage.reserveCapacity(capacity)
  }

  /// What has been written so far.
  @inlinable package var bytes: [UInt8] { storage }

  /// How many bytes have been written.
  @inlinable package var count: Int { storage.count }

  /// Appends one byte.
  @inlinable package mutating func write(_ byte: UInt8) { storage.append(byte) }

  /// Appends a run of bytes.
  @inlinable package mutating func write(_ run: some Collection<UInt8>) {
    storage.append(contentsOf: run)
  }

  /// Appends an integer, least significant byte first.
  @inlinable package mutating func write<T: FixedWidthInteger>(integer value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      storage.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  /// Appends an integer, most significant byte first.
  @inlinable package mutating func write<T: FixedWidthInteger>(bigEndian value: T) {
    write(integer: value.byteSwapped)
  }

  /// Overwrites eight bytes at `offset` with an integer, least significant byte first.
  @inlinable package mutating func patch(_ value: UInt64, at offset: Int) {
    for index in 0..<8 { storage[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }

  /// Removes the bytes of `range`.
  @inlinable package mutating func remove(_ range: Range<Int>) { storage.removeSubrange(range) }
}

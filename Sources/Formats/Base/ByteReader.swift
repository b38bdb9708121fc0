/// A forward cursor over bytes in memory, with bounds checks.
///
/// It cannot be copied (two cursors would silently diverge) and cannot outlive its bytes.
/// ``offset`` is absolute in the file or entry, so errors name positions in the file, not in the
/// buffer.
@safe
package struct ByteReader: ~Copyable, ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let base: Int
  /// The number of bytes consumed.
  @usableFromInline package internal(set) var position: Int

  /// Creates a cursor at the start of `bytes`, whose first byte is at `base` in the file or entry.
  @inlinable @_lifetime(copy bytes)
  package init(_ bytes: Span<UInt8>, base: Int = 0) {
    // Safe: `bytes` is itself a bounds-checked view of initialized memory with the same lifetime.
    unsafe self.bytes = bytes.bytes
    self.base = base
    self.position = 0
  }

  /// The offset of the next byte in the file or entry.
  @inlinable @inline(__always) package var offset: Int { base + position }
  /// The number of bytes left.
  @inlinable package var remaining: Int { bytes.byteCount - position }

  /// Consumes a little-endian integer.
  ///
  /// - Throws: `truncated` if too few bytes are left.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  package mutating func readInteger(as type: UInt8.Type) throws(CheckpointError) -> UInt8 {
    try load()
  }

  /// Consumes a little-endian integer.
  ///
  /// - Throws: `truncated` if too few bytes are left.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  package mutating func readInteger(as type: UInt16.Type) throws(CheckpointError) -> UInt16 {
    try load()
  }

  /// Consumes a little-endian integer.
  ///
  /// - Throws: `truncated` if too few bytes are left.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  package mutating func readInteger(as type: UInt32.Type) throws(CheckpointError) -> UInt32 {
    try load()
  }

  /// Consumes a little-endian integer.
  ///
  /// - Throws: `truncated` if too few bytes are left.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  package mutating func readInteger(as type: Int32.Type) throws(CheckpointError) -> Int32 {
    try load()
  }

  /// Consumes a little-endian integer.
  ///
  /// - Throws: `truncated` if too few bytes are left.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  package mutating func readInteger(as type: UInt64.Type) throws(CheckpointError) -> UInt64 {
    try load()
  }

  /// Consumes a little-endian integer.
  ///
  /// - Throws: `truncated` if too few bytes are left.
  @inlinable @inline(__always) @_lifetime(self: copy self)
  package mutating func readInteger(as type: Int64.Type) throws(CheckpointError) -> Int64 {
    try load()
  }

  /// Consumes a big-endian integer.
  ///
  /// - Throws: `truncated` if too few bytes are left.
  @inlinable @_lifetime(self: copy self)
  package mutating func readBigEndianInteger(as type: UInt64.Type) throws(CheckpointError) -> UInt64
  {
    try (load() as UInt64).byteSwapped
  }

  /// Consumes `count` bytes and returns a view of them.
  ///
  /// - Throws: `truncated` if fewer than `count` bytes are left or `count` is negative.
  @inlinable @inline(__always) @_lifetime(copy self)
  package mutating func readBytes(count: Int) throws(CheckpointError) -> Span<UInt8> {
    let start = try advance(by: count)
    return view(start..<start + count)
  }

  /// Consumes bytes up to and including the next line feed and returns those before it.
  ///
  /// - Throws: `truncated` if no line feed is left.
  @_lifetime(copy self)
  package mutating func readLine() throws(CheckpointError) -> Span<UInt8> {
    let rest = view(position..<bytes.byteCount)
    var count = 0
    while count < rest.count, rest[count] != UInt8(ascii: "\n") { count += 1 }
    guard count < rest.count else {
      throw CheckpointError(.truncated, "the line has no line feed", at: offset)
    }
    let start = try advance(by: count + 1)
    return view(start..<start + count)
  }

  /// Skips `count` bytes.
  ///
  /// - Throws: `truncated` if fewer than `count` bytes are left or `count` is negative.
  @inlinable @_lifetime(self: copy self)
  package mutating func skip(_ count: Int) throws(CheckpointError) {
    _ = try advance(by: count)
  }

  @inlinable @inline(__always) @_lifetime(self: copy self)
  mutating func load<T: FixedWidthInteger & BitwiseCopyable>() throws(CheckpointError) -> T {
    let start = try advance(by: MemoryLayout<T>.size)
    // Safe: `advance` has proved that the integer's bytes lie inside the span; any bits are valid.
    let raw = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: T.self)
    return T(littleEndian: raw)
  }

  @inlinable @_lifetime(copy self)
  func view(_ range: Range<Int>) -> Span<UInt8> {
    Span<UInt8>(_bytes: bytes.extracting(range))
  }

  @inlinable @inline(__always) @_lifetime(self: copy self)
  mutating func advance(by count: Int) throws(CheckpointError) -> Int {
    guard count >= 0, count <= remaining else { throw overrun(count) }
    WorkCount.add(count)
    defer { position += count }
    return position
  }

  @usableFromInline @inline(never)
  func overrun(_ count: Int) -> CheckpointError {
    CheckpointError(
      .truncated, "\(count) bytes are needed, but only \(remaining) are left", at: offset)
  }
}

/// Bytes in memory under construction: headers, pickles and other small data.
///
/// Every function takes one type and can be inlined into other modules, because the compiler offers
/// them no other body of a `package` function.
package struct ByteWriter: Sendable {
  /// The bytes written so far.
  @usableFromInline package internal(set) var bytes: [UInt8] = []

  /// Creates an empty writer with capacity for `capacity` bytes.
  package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  /// The number of bytes written.
  @inlinable package var count: Int { bytes.count }

  /// Appends one byte.
  @inlinable package mutating func write(_ byte: UInt8) { bytes.append(byte) }

  /// Appends a run of bytes.
  @inlinable package mutating func write(_ run: [UInt8]) {
    WorkCount.add(run.count)
    bytes.append(contentsOf: run)
  }

  /// Appends a run of bytes.
  @inlinable package mutating func write(_ run: ArraySlice<UInt8>) {
    WorkCount.add(run.count)
    bytes.append(contentsOf: run)
  }

  /// Appends one byte `count` times.
  package mutating func write(_ byte: UInt8, count: Int) {
    bytes.append(contentsOf: repeatElement(byte, count: count))
  }

  /// Appends a little-endian integer.
  @inlinable package mutating func write(integer value: UInt16) { append(value) }

  /// Appends a little-endian integer.
  @inlinable package mutating func write(integer value: UInt32) { append(value) }

  /// Appends a little-endian integer.
  @inlinable package mutating func write(integer value: UInt64) { append(value) }

  /// Appends a big-endian integer.
  @inlinable package mutating func write(bigEndian value: UInt64) { append(value.byteSwapped) }

  /// Overwrites eight bytes at `offset` with a little-endian integer.
  package mutating func patch(_ value: UInt64, at offset: Int) {
    for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }

  /// Removes the bytes of `range`.
  package mutating func remove(_ range: Range<Int>) { bytes.removeSubrange(range) }

  @inlinable
  mutating func append<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }
}

extension [UInt8] {
  /// Appends a copy of the bytes of a view.
  @inlinable
  package mutating func append(copying bytes: Span<UInt8>) {
    // Safe: the pointer is not used beyond the call, in which the view lends its bytes.
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}

extension Span<UInt8> {
  /// Returns the eight bytes from `index` on as a little-endian number.
  @inlinable @inline(__always)
  package func word(at index: Int) -> UInt64 {
    precondition(index >= 0 && index <= count - 8)
    // Safe: eight bytes from `index` on lie inside the view, and any bits are a number.
    return unsafe UInt64(
      littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self))
  }
}

/// A forward cursor over bytes in memory that refuses to run past their end.
///
/// It cannot be copied (two cursors would silently diverge) and cannot outlive the bytes it reads.
/// ``offset`` is absolute in whatever the bytes were cut from, so that errors name places in the
/// file and not in the buffer.
@safe
package struct ByteReader: ~Copyable, ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline let base: Int
  /// Bytes consumed so far.
  package internal(set) var position: Int

  /// A cursor at the start of `bytes`, whose first byte lies at `base` of the file or entry.
  @_lifetime(copy bytes)
  @inlinable package init(_ bytes: Span<UInt8>, base: Int = 0) {
    // Safe: `bytes` is itself a bounds-checked view of initialised memory with the same lifetime.
    unsafe self.bytes = bytes.bytes
    self.base = base
    self.position = 0
  }

  /// Where the next byte lies in the file or entry.
  @inlinable package var offset: Int { base + position }
  /// How many bytes are left.
  @inlinable package var remaining: Int { bytes.byteCount - position }
  /// Whether every byte has been consumed.
  @inlinable package var isAtEnd: Bool { remaining == 0 }

  /// Consumes an integer stored least significant byte first.
  ///
  /// - Throws: `truncated` when fewer bytes than the integer's width are left.
  @_lifetime(self: copy self)
  @inlinable package mutating func readInteger<T: FixedWidthInteger & BitwiseCopyable>(
    as type: T.Type
  ) throws(FormatError) -> T {
    let start = try advance(by: MemoryLayout<T>.size)
    // Safe: `advance` has proved that the integer's bytes lie inside the span; any bits are valid.
    let raw = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: T.self)
    return T(littleEndian: raw)
  }

  /// Consumes an integer stored most significant byte first.
  ///
  /// - Throws: `truncated` when fewer bytes than the integer's width are left.
  @_lifetime(self: copy self)
  @inlinable package mutating func readBigEndianInteger<T: FixedWidthInteger & BitwiseCopyable>(
    as type: T.Type
  ) throws(FormatError) -> T {
    T(bigEndian: T(littleEndian: try readInteger(as: T.self)))
  }

  /// Consumes `count` bytes and returns a view of them.
  ///
  /// - Throws: `truncated` when fewer than `count` bytes are left or `count` is negative.
  @_lifetime(copy self)
  @inlinable package mutating func readBytes(count: Int) throws(FormatError) -> Span<UInt8> {
    let start = try advance(by: count)
    return view(start..<start + count)
  }

  /// Consumes bytes up to and including the next line feed and returns those before it.
  ///
  /// - Throws: `truncated` when no line feed is left.
  @_lifetime(copy self)
  @inlinable package mutating func readLine() throws(FormatError) -> Span<UInt8> {
    let rest = view(position..<bytes.byteCount)
    var count = 0
    while count < rest.count, rest[count] != UInt8(ascii: "\n") { count += 1 }
    guard count < rest.count else {
      throw FormatError(.truncated, "no line feed ends the line", at: offset)
    }
    let start = try advance(by: count + 1)
    return view(start..<start + count)
  }

  /// Skips `count` bytes.
  ///
  /// - Throws: `truncated` when fewer than `count` bytes are left or `count` is negative.
  @_lifetime(self: copy self)
  @inlinable package mutating func skip(_ count: Int) throws(FormatError) {
    _ = try advance(by: count)
  }

  @_lifetime(copy self)
  @usableFromInline func view(_ range: Range<Int>) -> Span<UInt8> {
    Span<UInt8>(_bytes: bytes.extracting(range))
  }

  @_lifetime(self: copy self)
  @inlinable mutating func advance(by count: Int) throws(FormatError) -> Int {
    guard count >= 0, count <= remaining else {
      throw FormatError(
        .truncated, "\(count) bytes are announced, \(remaining) are left", at: offset)
    }
    defer { position += count }
    return position
  }
}

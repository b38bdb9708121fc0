internal import Glibc

/// Working memory from the operating system: zeroed, page-aligned, and released at the end.
///
/// Untouched pages cost nothing, so a large buffer is free until it is used.
@safe
package struct PageBuffer: ~Copyable {
  private let start: UnsafeMutableRawPointer
  /// The size in bytes.
  package let byteCount: Int

  /// Creates a buffer of `byteCount` zeros (`mmap`).
  ///
  /// - Throws: `inputOutput` if there is no memory.
  package init(byteCount: Int) throws(CheckpointError) {
    let size = max(byteCount, 1)
    // Safe: an anonymous mapping touches no existing memory.
    let start = unsafe mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let start = unsafe start, unsafe start != MAP_FAILED else {
      throw CheckpointError(call: "mmap", path: "working memory", errno: errno)
    }
    unsafe self.start = start
    self.byteCount = byteCount
  }

  // Safe: the mapping was made in `init` with this size and nothing outlives its owner.
  deinit { unsafe munmap(start, max(byteCount, 1)) }

  /// The bytes, for reading.
  package var bytes: RawSpan {
    @_lifetime(borrow self)
    borrowing get {
      // Safe: the mapping is initialized memory of this size that lives as long as `self`.
      let span = unsafe RawSpan(_unsafeStart: start, byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The bytes, for writing.
  package var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      // Safe: as above; exclusive access to `self` makes the access to its memory exclusive.
      let span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: byteCount)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }
}

extension MutableRawSpan {
  /// Copies all of `source` to `offset`.
  @_lifetime(self: copy self)
  package mutating func copy(_ source: RawSpan, to offset: Int) {
    var target = _mutatingExtracting(offset..<offset + source.byteCount)
    // Safe: `target` has been proved to be inside this span and has the length of `source`.
    unsafe target.withUnsafeMutableBytes { target in
      unsafe source.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    }
  }

  /// Sets every byte to zero.
  @_lifetime(self: copy self)
  package mutating func clear() {
    // Safe: the buffer is exactly this span's memory; zero is a value for every byte.
    unsafe withUnsafeMutableBytes { unsafe _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
  }
}

extension Span where Element == UInt8 {
  /// The same bytes, untyped.
  package var raw: RawSpan {
    @_lifetime(copy self)
    get {
      // Safe: every byte of a span of `UInt8` is initialized.
      unsafe bytes
    }
  }
}

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
  /// The same bytes without a type.
  package var raw: RawSpan {
    @_lifetime(copy self)
    get {
      // Safe: every byte of a span of `UInt8` is initialised.
      unsafe bytes
    }
  }
}

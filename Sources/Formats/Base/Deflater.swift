internal import CCkptDeflate

/// Compresses bytes into one deflate stream (RFC 1951, without a zlib or gzip header).
package enum Deflater: Sendable {
  /// The level of libdeflate, from 1 for fast to 12 for small.
  private static let level: CInt = 6

  /// The stream for `bytes`, or `nil` where it would have more than `limit` bytes.
  ///
  /// Equal bytes give equal streams from one version of libdeflate; another version may find other
  /// streams for them.
  package static func deflate(_ bytes: Span<UInt8>, limit: Int) -> [UInt8]? {
    // Safe: the compressor is used by this call only, and freed when it ends.
    guard let compressor = unsafe libdeflate_alloc_compressor(level) else { return nil }
    defer { unsafe libdeflate_free_compressor(compressor) }
    // Safe: the buffers describe the spans and are used inside the closures only; exactly the bytes
    // that libdeflate has written are counted as initialized, none where they do not fit.
    let stream = unsafe bytes.withUnsafeBytes { source in
      [UInt8](capacity: limit) { output in
        unsafe output.withUnsafeMutableBufferPointer { target, count in
          count = unsafe libdeflate_deflate_compress(
            compressor, source.baseAddress, source.count, target.baseAddress, limit)
        }
      }
    }
    return stream.isEmpty ? nil : stream
  }
}

internal import CCkptZlib

/// Inflates a deflate stream (RFC 1951, without a zlib or gzip header) in pieces.
///
/// Input and output can be split anywhere. zlib keeps pointers into its own stream structure, so
/// that structure is in a heap allocation that never moves.
@safe
package final class Inflater {
  private let stream: UnsafeMutablePointer<z_stream>

  /// Creates an inflater at the start of a stream.
  ///
  /// - Throws: `inputOutput` if there is no memory, `unsupported` if the zlib found at run time is
  ///   incompatible with the one of the build.
  package init() throws(CheckpointError) {
    // Safe: the allocation is initialized before zlib sees it; `deinit` frees it.
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // Safe: a zeroed stream is what inflateInit2 asks for.
    switch unsafe ckptconv_inflate_init_raw(stream) {
    case Z_OK: return
    case Z_MEM_ERROR: throw CheckpointError(.inputOutput, "out of memory while decompressing")
    case Z_VERSION_ERROR:
      throw CheckpointError(
        .unsupported, "the installed zlib is not compatible with \(ZLIB_VERSION)",
        remedy: "install zlib \(ZLIB_VERSION) or later")
    case let code: preconditionFailure("inflateInit2 returned \(code)")
    }
  }

  deinit {
    // Safe: `stream` was initialized in `init`; zlib accepts one whose initialization failed.
    unsafe inflateEnd(stream)
    unsafe stream.deinitialize(count: 1)
    unsafe stream.deallocate()
  }

  /// Inflates from the start of `input` into the start of `output`, until one of them is used up or
  /// the stream ends.
  ///
  /// A call without input, or without room for output, is harmless and produces nothing.
  /// - Returns: the number of bytes of `input` consumed and of `output` filled, and whether the
  ///   stream ended; bytes after its end are never consumed.
  /// - Throws: `malformed` if the bytes are not deflate.
  package func inflate(
    _ input: RawSpan, into output: inout MutableRawSpan
  ) throws(CheckpointError) -> (consumed: Int, produced: Int, finished: Bool) {
    // Safe: the buffers describe the spans and are used inside the closures only.
    unsafe try input.withUnsafeBytes { source throws(CheckpointError) in
      unsafe try output.withUnsafeMutableBytes { target throws(CheckpointError) in
        unsafe try inflate(source, into: target)
      }
    }
  }

  /// Inflates from the start of `input` into the free capacity of `output`; see the method above.
  ///
  /// - Returns: the number of bytes of `input` consumed, and whether the stream ended.
  /// - Throws: `malformed` if the bytes are not deflate.
  package func inflate(
    _ input: Span<UInt8>, appendingTo output: inout OutputSpan<UInt8>
  ) throws(CheckpointError) -> (consumed: Int, finished: Bool) {
    // Safe: the buffers describe the spans and are used inside the closures only; exactly the
    // bytes that zlib has written are counted as initialized.
    unsafe try input.withUnsafeBytes { source throws(CheckpointError) in
      unsafe try output.withUnsafeMutableBufferPointer { target, count throws(CheckpointError) in
        let room = unsafe UnsafeMutableBufferPointer(rebasing: target[count...])
        let step = unsafe try inflate(source, into: UnsafeMutableRawBufferPointer(room))
        count += step.produced
        return (step.consumed, step.finished)
      }
    }
  }

  private func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(CheckpointError) -> (consumed: Int, produced: Int, finished: Bool) {
    // zlib counts in 32 bits; the rest is left for the next call.
    let available = UInt32(clamping: input.count)
    let room = UInt32(clamping: output.count)
    // Safe: zlib reads through `next_in` only. It refuses a null `next_out` even without room, so
    // an empty output is replaced by an address that is never written.
    unsafe stream.pointee.next_in = UnsafeMutablePointer(
      mutating: input.baseAddress?.assumingMemoryBound(to: Bytef.self))
    unsafe stream.pointee.avail_in = available
    let start = unsafe output.baseAddress ?? UnsafeMutableRawPointer(stream)
    unsafe stream.pointee.next_out = start.assumingMemoryBound(to: Bytef.self)
    unsafe stream.pointee.avail_out = room
    // Safe: the counts are at most the buffers', and the caller keeps the buffers alive.
    let code = unsafe CCkptZlib.inflate(stream, Z_NO_FLUSH)
    // Safe: plain integers of a structure this object owns.
    let consumed = unsafe Int(available - stream.pointee.avail_in)
    let produced = unsafe Int(room - stream.pointee.avail_out)
    switch code {
    case Z_OK, Z_BUF_ERROR: return (consumed, produced, false)
    case Z_STREAM_END: return (consumed, produced, true)
    case Z_DATA_ERROR:
      throw CheckpointError(.malformed, "the compressed data is damaged: \(problem)")
    case Z_NEED_DICT: throw CheckpointError(.malformed, "the compressed data needs a dictionary")
    case Z_MEM_ERROR: throw CheckpointError(.inputOutput, "out of memory while decompressing")
    default: preconditionFailure("inflate returned \(code)")
    }
  }

  /// zlib's message for the last error.
  private var problem: String {
    // Safe: `msg` is null or points to a constant C string inside zlib.
    guard let message = unsafe stream.pointee.msg else { return "no reason given" }
    return unsafe String(cString: message)
  }
}

extension Inflater {
  /// Inflates `bytes`, which must give `byteCount` bytes.
  ///
  /// - Throws: `malformed` for more, fewer or other bytes.
  package static func inflate(
    _ bytes: [UInt8], byteCount: Int
  ) throws(CheckpointError) -> [UInt8] {
    let inflater = try Inflater()
    var consumed = 0
    var isFinished = false
    let inflated = try [UInt8](capacity: byteCount) { output throws(CheckpointError) in
      while !isFinished {
        let before = output.count
        let step = try inflater.inflate(
          bytes.span.extracting(droppingFirst: consumed), appendingTo: &output)
        guard step.finished || step.consumed > 0 || output.count > before else { break }
        consumed += step.consumed
        isFinished = step.finished
      }
    }
    guard inflated.count == byteCount, consumed == bytes.count else {
      throw CheckpointError(
        .malformed,
        "\(consumed) of \(bytes.count) bytes inflate to \(inflated.count) bytes, but the declared size is "
          + "\(byteCount)", at: consumed)
    }
    guard isFinished else {
      throw CheckpointError(
        .malformed, "the compressed data ends before its last block", at: consumed)
    }
    return inflated
  }
}

package import CkptBase
package import CkptGraph
package import CkptPlan

/// Runs that write to memory of the caller.
extension CopyEngine {
  /// Writes the output of `plan` to `buffer`, which has exactly its size.
  ///
  /// - Throws: the errors of ``run(_:into:)-(_,CopyDestination)``; the contents of the buffer are
  ///   then undefined.
  package func run(
    _ plan: FilePlan, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) {
    precondition(buffer.byteCount == plan.byteCount, "a buffer has the size of the output")
    // Safe: only this call uses the memory, and the threads that write to it have ended when the
    // run returns.
    try unsafe buffer.withUnsafeMutableBytes { bytes throws(CheckpointError) in
      try unsafe run(plan, into: BufferOutput(bytes))
    }
  }

  /// Returns the output of `plan` as elements of a type of the same size; `zero` is one of them.
  ///
  /// - Throws: the errors of ``run(_:into:)-(_,CopyDestination)``.
  package func elements<Element: BitwiseCopyable>(
    _ plan: FilePlan, zero: Element
  ) throws(CheckpointError) -> [Element] {
    let count = plan.byteCount / MemoryLayout<Element>.stride
    var elements = [Element](repeating: zero, count: count)
    var span = elements.mutableSpan
    // Safe: all bit patterns are valid for these element types.
    var bytes = unsafe span.mutableBytes
    try run(plan, into: &bytes)
    return elements
  }

  /// Passes the output of `plan` to `body` on the calling thread, in order, in chunks of
  /// `byteCount` bytes.
  ///
  /// The last chunk may be shorter.
  ///
  /// - Throws: the errors of ``run(_:into:)-(_,CopyDestination)`` and of `body`, which end the run.
  package func forEachChunk(
    of plan: FilePlan, byteCount: Int, _ body: (RawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    // The compiler builds the length of the file's path into the check that `body` has not escaped,
    // which is made at the closing brace. With a name of its own for the place, the program does not
    // depend on the folder of the build.
    #sourceLocation(file:"forEachChunk",line:1)
    try withoutActuallyEscaping(body) { body throws(CheckpointError) in
      let output = ChunkOutput(byteCount: byteCount, body)
      try run(plan, into: output)
      try output.handOver()
    }
  }
  #sourceLocation()
}

/// The bytes of the caller's buffer as an output.
@safe
private struct BufferOutput: CopyDestination, @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer

  /// Creates an output to `memory`, which must outlive the run.
  // Safe: the caller keeps the memory alive and does not use it.
  init(_ memory: UnsafeMutableRawBufferPointer) { unsafe self.memory = memory }

  var isSequential: Bool { false }
  var scratchDirectory: String { Syscalls.temporaryDirectory() }

  func prepare(byteCount: Int) {}

  func write(_ bytes: RawSpan, at offset: Int) {
    // Safe: slicing checks the bounds, and the writes of a run do not overlap.
    unsafe bytes.withUnsafeBytes { source in
      let place = unsafe memory[offset..<offset + source.count]
      unsafe UnsafeMutableRawBufferPointer(rebasing: place).copyMemory(from: source)
    }
  }
}

/// An output that passes its bytes on in chunks of one size.
///
/// Only the thread that runs the engine writes to an output in order, so no state is shared.
private final class ChunkOutput: CopyDestination, @unchecked Sendable {
  private let body: (RawSpan) throws(CheckpointError) -> Void
  private var chunk: [UInt8]
  private var count = 0

  /// Creates an output that passes chunks of `byteCount` bytes to `body`.
  init(byteCount: Int, _ body: @escaping (RawSpan) throws(CheckpointError) -> Void) {
    self.body = body
    chunk = [UInt8](repeating: 0, count: byteCount)
  }

  var isSequential: Bool { true }
  var scratchDirectory: String { Syscalls.temporaryDirectory() }

  func prepare(byteCount: Int) {}

  func write(_ bytes: RawSpan, at offset: Int) throws(CheckpointError) {
    var place = 0
    while place < bytes.byteCount {
      let length = min(chunk.count - count, bytes.byteCount - place)
      let part = bytes.extracting(place..<place + length)
      place += length
      guard length < chunk.count else {
        try body(part)
        continue
      }
      var span = chunk.mutableSpan
      // Safe: all bit patterns are valid for `UInt8`.
      var buffer = unsafe span.mutableBytes
      buffer.copy(part, to: count)
      count += length
      if count == chunk.count { try handOver() }
    }
  }

  /// Passes on the buffered bytes, if any.
  ///
  /// - Throws: the errors of the receiver.
  func handOver() throws(CheckpointError) {
    guard count > 0 else { return }
    let (bytes, length) = (chunk, count)
    // The buffer is returned, so that it is never copied.
    chunk = []
    count = 0
    try body(bytes.span.raw.extracting(0..<length))
    chunk = bytes
  }
}

/// Elements as floating-point numbers of Swift.
extension CopyEngine {
  /// The size of the chunks that are widened, in bytes: a multiple of every element size.
  private static let numberChunk = 1 << 20

  /// Returns the output of `plan` as `Float`; more precise elements are rounded to nearest.
  ///
  /// - Throws: the errors of ``run(_:into:)-(_,CopyDestination)``.
  package func floats(_ plan: FilePlan, _ dtype: DType) throws(CheckpointError) -> [Float] {
    try numbers(plan, dtype)
  }

  /// Returns the output of `plan` as `Double`; more precise elements are rounded to nearest.
  ///
  /// - Throws: the errors of ``run(_:into:)-(_,CopyDestination)``.
  package func doubles(_ plan: FilePlan, _ dtype: DType) throws(CheckpointError) -> [Double] {
    try numbers(plan, dtype)
  }

  private func numbers<Number: BinaryFloatingPoint & BitwiseCopyable>(
    _ plan: FilePlan, _ dtype: DType
  ) throws(CheckpointError) -> [Number] {
    var numbers: [Number] = []
    numbers.reserveCapacity(plan.byteCount / dtype.byteCount)
    try forEachChunk(of: plan, byteCount: Self.numberChunk) { chunk throws(CheckpointError) in
      var part = [Number](repeating: 0, count: chunk.byteCount / dtype.byteCount)
      var span = part.mutableSpan
      // Safe: all bit patterns are valid for floating-point numbers.
      var bytes = unsafe span.mutableBytes
      WideningKernels.widen(chunk, dtype, into: &bytes, as: Number.self)
      numbers += part
    }
    return numbers
  }
}

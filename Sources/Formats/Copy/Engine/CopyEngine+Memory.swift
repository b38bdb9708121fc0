package import CkptBase
package import CkptGraph
package import CkptPlan

/// Runs whose output is memory of the caller.
extension CopyEngine {
  /// Writes the output that `plan` describes to `buffer`, which has exactly its size.
  ///
  /// - Throws: what ``run(_:into:)-(_,CopyDestination)`` throws; the contents of the buffer are then
  ///   undefined.
  package func run(
    _ plan: FilePlan, into buffer: inout MutableRawSpan
  ) throws(CheckpointError) {
    precondition(buffer.byteCount == plan.byteCount, "a buffer has the size of the output")
    // Safe: the memory is this call's alone, and the threads that write to it have ended when the
    // run returns.
    try unsafe buffer.withUnsafeMutableBytes { bytes throws(CheckpointError) in
      try unsafe run(plan, into: BufferOutput(bytes))
    }
  }

  /// The output of `plan` as elements of a type of the same size, of which `zero` is one.
  ///
  /// - Throws: what ``run(_:into:)-(_,CopyDestination)`` throws.
  package func elements<Element: BitwiseCopyable>(
    _ plan: FilePlan, zero: Element
  ) throws(CheckpointError) -> [Element] {
    let count = plan.byteCount / MemoryLayout<Element>.stride
    var elements = [Element](repeating: zero, count: count)
    var span = elements.mutableSpan
    // Safe: the types that elements are read as may have any bits.
    var bytes = unsafe span.mutableBytes
    try run(plan, into: &bytes)
    return elements
  }

  /// Hands the output of `plan` to `body`, on the calling thread and in order, in chunks of
  /// `byteCount` bytes, the last of which may be shorter.
  ///
  /// - Throws: what ``run(_:into:)-(_,CopyDestination)`` throws, and what `body` throws, which ends the
  ///   run.
  package func forEachChunk(
    of plan: FilePlan, byteCount: Int, _ body: (RawSpan) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    try withoutActuallyEscaping(body) { body throws(CheckpointError) in
      let output = ChunkOutput(byteCount: byteCount, body)
      try run(plan, into: output)
      try output.handOver()
    }
  }
}

/// The bytes of the caller's buffer as an output.
@safe
private struct BufferOutput: CopyDestination, @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer

  /// An output to `memory`, which must outlive the run.
  // Safe: the caller keeps the memory alive and to itself.
  init(_ memory: UnsafeMutableRawBufferPointer) { unsafe self.memory = memory }

  var isSequential: Bool { false }
  var scratchDirectory: String { Syscalls.temporaryDirectory() }

  func prepare(byteCount: Int) {}

  func write(_ bytes: RawSpan, at offset: Int) {
    // Safe: slicing checks the bounds, and no two writes of a run are to the same bytes at once.
    unsafe bytes.withUnsafeBytes { source in
      let place = unsafe memory[offset..<offset + source.count]
      unsafe UnsafeMutableRawBufferPointer(rebasing: place).copyMemory(from: source)
    }
  }
}

/// An output that hands its bytes on in chunks of one size.
///
/// Only the thread that runs the engine writes to an output in order, so nothing is shared.
private final class ChunkOutput: CopyDestination, @unchecked Sendable {
  private let body: (RawSpan) throws(CheckpointError) -> Void
  private var chunk: [UInt8]
  private var count = 0

  /// An output that hands chunks of `byteCount` bytes to `body`.
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
      // Safe: the bytes of an array of `UInt8` may hold any values.
      var buffer = unsafe span.mutableBytes
      buffer.copy(part, to: count)
      count += length
      if count == chunk.count { try handOver() }
    }
  }

  /// Hands over the bytes that wait, if there are any.
  ///
  /// - Throws: what the receiver throws.
  func handOver() throws(CheckpointError) {
    guard count > 0 else { return }
    let (bytes, length) = (chunk, count)
    // The buffer comes back, so that it is never copied.
    chunk = []
    count = 0
    try body(bytes.span.raw.extracting(0..<length))
    chunk = bytes
  }
}

/// Numbers of any type as those of Swift.
extension CopyEngine {
  /// The size of the chunks that are turned into numbers, in bytes: a multiple of every dtype's.
  private static let numberChunk = 1 << 20

  /// The output of `plan`, elements of type `dtype`, as `Float`, rounded to nearest where they are
  /// more precise.
  ///
  /// - Throws: what ``run(_:into:)-(_,CopyDestination)`` throws.
  package func floats(_ plan: FilePlan, _ dtype: DType) throws(CheckpointError) -> [Float] {
    try numbers(plan, dtype)
  }

  /// The output of `plan`, elements of type `dtype`, as `Double`, rounded to nearest where they are
  /// more precise.
  ///
  /// - Throws: what ``run(_:into:)-(_,CopyDestination)`` throws.
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
      // Safe: floating-point numbers may have any bits.
      var bytes = unsafe span.mutableBytes
      WideningKernels.widen(chunk, dtype, into: &bytes, as: Number.self)
      numbers += part
    }
    return numbers
  }
}

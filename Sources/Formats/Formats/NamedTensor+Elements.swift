public import CkptBase
public import CkptCopy
internal import CkptGraph
internal import CkptPlan

/// Reading of elements.
extension NamedTensor {
  /// Returns the elements as `Float`.
  ///
  /// Numbers of at most 24 bits (`float32`, `float16`, `bfloat16`, 8-bit floats, small integers)
  /// keep their value; `float64` and larger integers are rounded to nearest. Booleans are 0 and 1.
  ///
  /// - Parameter budget: the threads, memory and cancellation.
  /// - Returns: the elements in row-major order.
  /// - Throws: ``CheckpointError`` with the tensor in its path: `unsupported` for a tensor without
  ///   data and for complex, quantized and packed elements, `checksumMismatch` for a damaged file,
  ///   `limitExceeded` for far more elements than the file can hold, `inputOutput` if reading
  ///   fails.
  public func floats(budget: CopyBudget = CopyBudget()) throws(CheckpointError) -> [Float] {
    try readingNumbers { plan throws(CheckpointError) in
      try CopyEngine(budget).floats(plan, dtype)
    }
  }

  /// Returns the elements as `Double`.
  ///
  /// Integers of more than 53 bits are rounded to nearest; all other numbers keep their value.
  ///
  /// - Parameter budget: the threads, memory and cancellation.
  /// - Returns: the elements in row-major order.
  /// - Throws: ``CheckpointError`` as ``floats(budget:)`` does.
  public func doubles(budget: CopyBudget = CopyBudget()) throws(CheckpointError) -> [Double] {
    try readingNumbers { plan throws(CheckpointError) in
      try CopyEngine(budget).doubles(plan, dtype)
    }
  }

  /// Returns the elements, bit for bit.
  ///
  /// - Parameters:
  ///   - type: the Swift type of the elements, such as `Int64` for ``DType/int64``.
  ///   - budget: the threads, memory and cancellation.
  /// - Returns: the elements in row-major order.
  /// - Throws: ``CheckpointError`` with the tensor in its path: `unsupported` for elements of
  ///   another type and for a tensor without data, otherwise as ``floats(budget:)`` does.
  public func elements<Element: TensorElement>(
    as type: Element.Type = Element.self, budget: CopyBudget = CopyBudget()
  ) throws(CheckpointError) -> [Element] {
    try reading { plan throws(CheckpointError) in
      guard dtype == Element.dtype else {
        throw CheckpointError(
          .unsupported, "the elements are \(dtype.name), expected \(Element.dtype.name)")
      }
      return try CopyEngine(budget).elements(plan, zero: Element.zero)
    }
  }

  /// Returns the bytes of the elements, for dtypes without a Swift type.
  ///
  /// - Parameter budget: the threads, memory and cancellation.
  /// - Returns: ``byteCount`` bytes: the elements in row-major order, little-endian.
  /// - Throws: ``CheckpointError`` with the tensor in its path: `unsupported` for a tensor without
  ///   data, otherwise as ``floats(budget:)`` does.
  public func bytes(budget: CopyBudget = CopyBudget()) throws(CheckpointError) -> [UInt8] {
    try reading { plan throws(CheckpointError) in
      try CopyEngine(budget).elements(plan, zero: UInt8(0))
    }
  }

  /// Reads the bytes of the elements into memory of the caller.
  ///
  /// - Parameters:
  ///   - buffer: memory of exactly ``byteCount`` bytes. It receives the elements in row-major
  ///     order, little-endian. After an error, its contents are undefined.
  ///   - budget: the threads, memory and cancellation.
  /// - Throws: ``CheckpointError`` with the tensor in its path: `conflict` for a buffer of another
  ///   size, otherwise as ``bytes(budget:)`` does.
  public func read(
    into buffer: inout MutableRawSpan, budget: CopyBudget = CopyBudget()
  ) throws(CheckpointError) {
    let plan = try plan()
    let found = buffer.byteCount
    guard found == plan.byteCount else {
      throw framed(
        CheckpointError(.conflict, "the buffer has \(found) bytes, the tensor \(plan.byteCount)"))
    }
    do throws(CheckpointError) {
      try CopyEngine(budget).run(plan, into: &buffer)
    } catch {
      throw framed(error)
    }
  }

  /// Reads the bytes of the elements in chunks, so that a tensor of any size needs little memory.
  ///
  /// - Parameters:
  ///   - byteCount: the size of a chunk in bytes, rounded up to whole elements and at most 1 GiB; the
  ///     last chunk may be shorter.
  ///   - budget: the memory and cancellation; the chunks are read on the calling thread.
  ///   - body: receives the chunks in order. A chunk is only valid until it returns.
  /// - Throws: the errors of `body`, and ``CheckpointError`` as ``bytes(budget:)`` does, except for
  ///   the limit.
  public func forEachChunk(
    byteCount: Int = 1 << 20, budget: CopyBudget = CopyBudget(), _ body: (RawSpan) throws -> Void
  ) throws {
    var failure: (any Error)?
    do throws(CheckpointError) {
      let plan = try plan()
      // The memory is limited to the size of the tensor, for any requested chunk size.
      let width = dtype.byteCount
      let size = min(
        max(byteCount, width), max(plan.byteCount, width), Limits.wholeTensorBytesAtLeast)
      let chunk = size + (width - size % width) % width
      try CopyEngine(budget).forEachChunk(of: plan, byteCount: chunk) {
        chunk throws(CheckpointError) in
        do {
          try body(chunk)
        } catch {
          failure = error
          throw CheckpointError(.cancelled, "the receiver stopped")
        }
      }
    } catch {
      throw failure ?? framed(error)
    }
  }
}

extension NamedTensor {
  /// Returns the plan of the packed elements.
  private func plan() throws(CheckpointError) -> FilePlan {
    guard hasData else {
      throw framed(
        CheckpointError(.unsupported, "the tensor is on the meta device and has no data"))
    }
    var plan = FilePlan()
    for segment in tensor.segments(from: graph) { plan.append(segment) }
    return plan
  }

  /// Runs `body` with the plan of elements that are read into memory together.
  ///
  /// A few bytes of a file can be a tensor of any size: one repeated element, or deflated zeros.
  private func reading<Result>(
    _ body: (FilePlan) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    let plan = try plan()
    do throws(CheckpointError) {
      let stored = plan.segments.reduce(0) { sum, segment in
        segment.regions.reduce(sum) { $0.addingClamped($1.range.count) }
      }
      guard
        plan.byteCount <= Limits.wholeTensorBytesAtLeast
          || plan.byteCount / Limits.wholeTensorBytesPerStoredByte <= stored
      else {
        throw CheckpointError(
          .limitExceeded,
          "the tensor has \(plan.byteCount) bytes, made from \(stored) bytes of the file",
          remedy: "read it in chunks")
      }
      return try body(plan)
    } catch {
      throw framed(error)
    }
  }

  /// Runs `body` with the plan of elements that are converted to numbers of Swift.
  private func readingNumbers<Result>(
    _ body: (FilePlan) throws(CheckpointError) -> Result
  ) throws(CheckpointError) -> Result {
    try reading { plan throws(CheckpointError) in
      guard dtype.isNumber else {
        throw CheckpointError(
          .unsupported, "the elements are \(dtype.name), and Swift has no such numbers",
          remedy: "read their bytes")
      }
      return try body(plan)
    }
  }

  /// Adds the tensor to the path of an error, unless the error names a place in a file already.
  private func framed(_ error: CheckpointError) -> CheckpointError {
    error.path.isEmpty ? error.framed(by: "tensor '\(name)'") : error
  }
}

public import CkptBase
public import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptJSON
internal import CkptPlan

/// Writes one tensor as a file that `numpy.load` reads.
public struct NumpyExport: Sendable {
  /// The result of an export.
  public struct Report: Hashable, Sendable {
    /// The dtype of the tensor, by PyTorch's name.
    public let dtype: String
    /// The type in the file, such as `<f4`.
    public let descriptor: String
    /// The number of elements along each dimension.
    public let shape: [Int]
    /// The size of the file in bytes.
    public let byteCount: Int
    /// Whether the file holds the bits of elements for which NumPy has no type.
    public let isRaw: Bool
  }

  private let reading: ReadingOptions
  private let writing: WritingOptions
  private let budget: CopyBudget

  /// Creates an exporter.
  public init(
    _ reading: ReadingOptions = ReadingOptions(), writing: WritingOptions = WritingOptions(),
    budget: CopyBudget = CopyBudget()
  ) {
    (self.reading, self.writing, self.budget) = (reading, writing, budget)
  }

  /// Writes the tensor `name` of the file `path` to `target`.
  ///
  /// - Returns: the report; `nil` if there is no such tensor, and nothing was written.
  /// - Throws: ``CheckpointError`` with the file in its path: `unsupported` for a tensor without
  ///   data, and the errors of reading and writing.
  public func run(
    _ name: String, of path: String, to target: OutputTarget,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) -> Report? {
    guard let tensor = try Checkpoint(path: path, reading).tensors()[name] else { return nil }
    guard tensor.hasData else { throw FirstElements.withoutData(name).framed(by: path) }
    if let file = target.path {
      try FilePath(file).requireApart(from: [path], remedy: "give the output another name")
    }
    let (descriptor, isRaw) = Self.type(of: tensor.dtype)
    var plan = FilePlan()
    plan.append(.literal(Self.header(descriptor, tensor.shape)))
    for segment in tensor.tensor.segments(from: tensor.graph) { plan.append(segment) }
    let output = try target.open(writing)
    try CheckpointError.within(path) { () throws(CheckpointError) in
      switch output {
      case .file(let file): try CopyEngine(budget, progress: progress).run(plan, into: file)
      case .stream(let stream): try CopyEngine(budget, progress: progress).run(plan, into: stream)
      }
    }
    try output.file?.commit()
    return Report(
      dtype: tensor.dtype.name, descriptor: descriptor, shape: tensor.shape,
      byteCount: plan.byteCount, isRaw: isRaw)
  }

  /// Returns NumPy's name of a dtype, or that of unsigned integers with the same bits.
  static func type(of dtype: DType) -> (descriptor: String, isRaw: Bool) {
    switch dtype {
    case .bool: ("|b1", false)
    case .uint8: ("|u1", false)
    case .int8: ("|i1", false)
    case .uint16: ("<u2", false)
    case .int16: ("<i2", false)
    case .uint32: ("<u4", false)
    case .int32: ("<i4", false)
    case .uint64: ("<u8", false)
    case .int64: ("<i8", false)
    case .float16: ("<f2", false)
    case .float32: ("<f4", false)
    case .float64: ("<f8", false)
    case .complex64: ("<c8", false)
    case .complex128: ("<c16", false)
    default: (dtype.byteCount == 1 ? "|u1" : "<u\(dtype.byteCount)", true)
    }
  }

  /// Returns the header of format 1.0, or of 2.0 if it is long (`numpy/lib/format.py`).
  ///
  /// The data begins at a multiple of 64 bytes.
  static func header(_ descriptor: String, _ shape: [Int]) -> [UInt8] {
    let sizes = shape.map { "\($0)" }.joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let isLong = text.utf8.count + 64 > UInt16.max
    let prefix = isLong ? 12 : 10
    let padding = 63 - (prefix + text.utf8.count) % 64
    let length = text.utf8.count + padding + 1
    var bytes = [0x93] + Array("NUMPY".utf8) + [isLong ? 2 : 1, 0]
    for shift in 0..<(isLong ? 4 : 2) {
      bytes.append(UInt8(truncatingIfNeeded: length >> (8 * shift)))
    }
    return bytes + Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0a]
  }
}

extension NumpyExport.Report {
  /// Returns the report as one JSON object; `Documentation/json.md` describes its members.
  public func json(_ source: String, _ target: String, _ name: String) -> String {
    var json = JSONWriter()
    json.beginObject()
    json.member("source", source)
    json.member("name", name)
    json.member("path", target)
    json.member("dtype", dtype)
    json.member("numpy_dtype", descriptor)
    json.member("raw", isRaw)
    json.member("shape", shape)
    json.member("bytes", byteCount)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

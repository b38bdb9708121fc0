internal import Bytes
internal import Graph
internal import Plan

/// Ones: what a norm without weights multiplies by.
///
/// They lie in a temporary file without a name, so that they are copied like all other tensors.
struct ConstantTensor {
  private let dtype: DType
  private let file: SourceFile

  /// `count` ones of type `dtype`.
  ///
  /// - Throws: `unsupported` for types that no weights have, `inputOutput` when there is no room.
  init(ones count: Int, _ dtype: DType) throws(FormatError) {
    self.dtype = dtype
    let one = try Self.one(dtype)
    var plan = FilePlan()
    plan.append(.literal([UInt8](repeatElement(one, count: count).joined())))
    let output = try TemporaryOutput(in: Syscalls.temporaryDirectory())
    try CopyEngine(threadCount: 1).run(plan, into: output)
    file = try output.makeSource()
  }

  /// The first `count` ones as they lie in the file.
  func region(count: Int) -> FileRegion {
    FileRegion(file: file, range: 0..<count * dtype.byteCount, name: "ones")
  }

  /// Adds a vector of ones to a graph.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  func add(shape: [Int], to graph: inout TensorGraph) throws(FormatError) -> NodeID {
    let region = region(count: shape.reduce(1, *))
    let storage = graph.add(
      Storage(
        key: "ones", dtype: dtype, location: "cpu", byteCount: region.byteCount, region: region,
        isBigEndian: false))
    let node = try graph.add(.none)
    graph.add(
      Tensor(
        node: node, dtype: dtype, shape: shape, strides: Tensor.packedStrides(shape), offset: 0,
        storage: storage))
    return node
  }

  /// One, little-endian.
  private static func one(_ dtype: DType) throws(FormatError) -> [UInt8] {
    switch dtype {
    case .float64: [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]
    case .float32: [0, 0, 0x80, 0x3f]
    case .bfloat16: [0x80, 0x3f]
    case .float16: [0, 0x3c]
    default:
      throw FormatError(.unsupported, "weights are floating-point numbers, these are \(dtype.name)")
    }
  }
}

public import CkptBase
internal import CkptCompare
internal import CkptCopy
public import CkptFormats
internal import CkptGraph
internal import CkptPlan

/// The first elements of a tensor, as numbers.
public struct FirstElements: Sendable {
  /// The dtype, by PyTorch's name.
  public let dtype: String
  /// The number of elements along each dimension.
  public let shape: [Int]
  /// The elements in row-major order, each with its indices; the bits of types that are not numbers.
  public let elements: [(indices: [Int], text: String)]

  /// The maximum number of elements to read.
  private static let limit = 10_000

  /// Reads up to `count` elements of the tensor `name` in a file; `nil` if there is no such tensor.
  ///
  /// - Throws: the errors of ``Checkpoint/init(path:_:)``; `unsupported` for a tensor without data.
  public init?(
    of name: String, count: Int, in path: String, _ options: ReadingOptions = ReadingOptions()
  ) throws(CheckpointError) {
    let checkpoint = try CheckpointFile.read(path, options)
    guard let found = try checkpoint.tensors()[name] else { return nil }
    let tensor = found.tensor
    guard found.hasData else { throw Self.withoutData(name).framed(by: path) }
    dtype = tensor.dtype.name
    shape = tensor.shape
    let numbers = 0..<min(count, tensor.elementCount, Self.limit)
    let places = numbers.map { Tensor.indices(ofElement: $0, in: tensor.shape) }
    let width = tensor.dtype.byteCount
    let bytes = try CheckpointError.within(path) { () throws(CheckpointError) in
      try Self.bytes(of: found, at: places)
    }
    elements = zip(numbers, places).map { number, indices in
      let element = bytes[number * width..<(number + 1) * width]
      return (indices, ElementText.value(element, tensor.dtype) ?? ElementText.bits(element))
    }
  }

  private static func bytes(
    of found: NamedTensor, at places: [[Int]]
  ) throws(CheckpointError) -> [UInt8] {
    // Elements of a storage in several pieces, such as shards, cannot be read alone.
    guard
      found.tensor.packed != nil || found.tensor.storage.flatMap({ found.graph[$0].region }) != nil
    else { return try found.bytes() }
    var plan = FilePlan()
    for place in places {
      for segment in found.tensor.element(place).segments(from: found.graph) {
        plan.append(segment.unchecked)
      }
    }
    let file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
    return try file.bytes(in: 0..<plan.byteCount)
  }

  static func withoutData(_ name: String) -> CheckpointError {
    CheckpointError(.unsupported, "tensor '\(name)' has no data (meta device)")
  }
}

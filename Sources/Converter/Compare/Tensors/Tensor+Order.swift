package import CkptBase
package import CkptGraph
package import CkptPlan

/// The order in which elements are compared.
extension Tensor {
  /// The maximum number of times that a tensor can repeat its bytes.
  private static let repetitions = 1 << 10

  /// Removes the dimensions along which both tensors repeat the same elements.
  static func dropCommonRepetitions(_ left: inout Tensor, _ right: inout Tensor) {
    guard left.packed == nil, right.packed == nil, left.elementCount > 0 else { return }
    for index in left.shape.indices where left.strides[index] == 0 && right.strides[index] == 0 {
      left.shape[index] = 1
      right.shape[index] = 1
    }
  }

  /// Whether the elements fill a range of the storage, in any order.
  var isDense: Bool {
    var expected = 1
    for (size, stride) in dimensionsInStorageOrder.reversed() {
      guard stride == expected else { return false }
      expected *= size
    }
    return true
  }

  /// The dimensions with more than one element, the longest stride first.
  private var dimensionsInStorageOrder: [(size: Int, stride: Int)] {
    zip(shape, strides).filter { $0.0 != 1 }.map { (size: $0.0, stride: $0.1) }
      .sorted { $0.stride > $1.stride }
  }

  /// Returns the indices of an element by its number, in row-major or in storage order.
  func indices(ofElement number: Int, inStorageOrder: Bool) -> [Int] {
    guard inStorageOrder else { return Self.indices(ofElement: number, in: shape) }
    var indices = [Int](repeating: 0, count: shape.count)
    var rest = number
    let order = shape.indices.filter { shape[$0] != 1 }.sorted { strides[$0] > strides[$1] }
    for index in order {
      indices[index] = rest / strides[index]
      rest %= strides[index]
    }
    return indices
  }

  /// Returns the indices of an element in a shape by its number in row-major order.
  package static func indices(ofElement number: Int, in shape: [Int]) -> [Int] {
    var indices = [Int](repeating: 0, count: shape.count)
    var rest = number
    for index in shape.indices.reversed() {
      indices[index] = rest % max(shape[index], 1)
      rest /= max(shape[index], 1)
    }
    return indices
  }

  /// Returns the element with these indices as a tensor.
  package func element(_ indices: [Int]) -> Tensor {
    var element = self
    element.shape = []
    element.strides = []
    element.offset += zip(indices, strides).reduce(0) { $0 + $1.0 * $1.1 }
    if let packed {
      let number = zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }
      element.packed = packed.part(number * dtype.byteCount..<(number + 1) * dtype.byteCount)
    }
    return element
  }

  /// Checks that there are not many more elements than bytes.
  ///
  /// A few bytes of a file can describe any number of repetitions.
  ///
  /// - Throws: `limitExceeded` if there are.
  package static func requireFiniteWork(
    _ name: String, _ segments: [Segment]
  ) throws(CheckpointError) {
    for case .gather(let region, let elements) in segments {
      guard elements.byteCount / Self.repetitions <= max(region.byteCount, 1) else {
        throw CheckpointError(
          .limitExceeded,
          "tensor '\(name)' repeats \(region.byteCount) bytes until they are "
            + "\(elements.byteCount)",
          remedy: "do not use this file; it was made to exhaust its readers")
      }
    }
  }
}

extension FileRegion {
  /// The region without its checksum.
  var unchecked: FileRegion {
    FileRegion(source: source, range: range, encoding: encoding, byteCount: byteCount, name: name)
  }
}

extension Segment {
  /// The segment, which reads only the needed bytes of its region.
  package var unchecked: Segment {
    switch self {
    case .copy(let region, let range): .copy(region.unchecked, range: range)
    case .gather(let region, let elements): .gather(region.unchecked, elements)
    case .cast(let region, let elements, let cast): .cast(region.unchecked, elements, cast)
    case .literal, .zeros, .assembly, .computed: self
    }
  }

  /// The region with the bytes of the segment as they are, if there is one.
  var place: FileRegion? {
    guard case .copy(let region, let range) = self, region.encoding == .stored else { return nil }
    guard range != 0..<region.byteCount else { return region }
    return region.part(range)
  }

  /// Splits a gather into parts of up to `limit` elements.
  func parts(ofAtMost limit: Int) -> [Segment] {
    guard case .gather(let region, let elements) = self else { return [self] }
    var parts: [Segment] = []
    var pending = [elements]
    while let next = pending.popLast() {
      let count = next.shape.reduce(1, *)
      guard count > limit, let dimension = next.shape.firstIndex(where: { $0 > 1 }) else {
        parts.append(.gather(region, next))
        continue
      }
      let rowCount = next.shape[dimension]
      let step = max(1, limit / (count / rowCount))
      for start in stride(from: 0, to: rowCount, by: step).reversed() {
        var part = next
        part.byteOffset += start * part.byteStrides[dimension]
        part.shape[dimension] = min(step, rowCount - start)
        pending.append(part)
      }
    }
    return parts
  }
}

extension [Segment] {
  /// The region with the bytes of a tensor as they are, if there is one.
  var place: FileRegion? { count == 1 ? self[0].place : nil }
}

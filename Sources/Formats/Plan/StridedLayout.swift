internal import Bytes

/// Dimensions with the distances between neighbours on two sides, where elements are and where they
/// go, reduced to the fewest that visit the same bytes in the same order.
///
/// Dimensions of one element are dropped and neighbours that could be one dimension are one: with a
/// packed target, a contiguous tensor of any rank has one dimension, a transposed one two.
struct StridedLayout: Sendable {
  /// The number of elements along each dimension, outermost first.
  private(set) var extents: [Int] = []
  /// The distance in bytes between neighbours in the source.
  private(set) var strides: [Int] = []
  /// The distance in bytes between neighbours in the target.
  private(set) var targetStrides: [Int] = []
  /// The size of one element in bytes.
  let unit: Int

  /// Reduces dimensions given outermost first, of which none may be empty.
  init(extents: [Int], strides: [Int], targetStrides: [Int], unit: Int) {
    self.unit = unit
    for (dimension, extent) in extents.enumerated() where extent != 1 {
      let (stride, target) = (strides[dimension], targetStrides[dimension])
      let (span, overflow) = stride.multipliedReportingOverflow(by: extent)
      let (targetSpan, targetOverflow) = target.multipliedReportingOverflow(by: extent)
      if !overflow, !targetOverflow, self.strides.last == span,
        self.targetStrides.last == targetSpan
      {
        let last = self.extents.count - 1
        self.extents[last] *= extent
        self.strides[last] = stride
        self.targetStrides[last] = target
      } else {
        self.extents.append(extent)
        self.strides.append(stride)
        self.targetStrides.append(target)
      }
    }
  }

  /// Reduces dimensions whose elements go one after the other in row-major order.
  init(packing extents: [Int], strides: [Int], unit: Int) {
    self.init(
      extents: extents, strides: strides,
      targetStrides: StridedLayout.packedStrides(extents, unit: unit), unit: unit)
  }

  /// The number of dimensions.
  var rank: Int { extents.count }

  /// Whether the elements lie one after the other in the source as well as in the target.
  var isContiguous: Bool {
    rank == 0 || rank == 1 && strides[0] == unit && targetStrides[0] == unit
  }

  /// The size of all elements in bytes.
  var byteCount: Int { extents.reduce(unit, *) }

  /// The distance in bytes from the start of the first element in the source to the end of the
  /// furthest one.
  var sourceSpan: Int { span(strides) }
  /// The same in the target.
  var targetSpan: Int { span(targetStrides) }

  private func span(_ strides: [Int]) -> Int {
    zip(extents, strides).reduce(unit) { $0 + ($1.0 - 1) * $1.1 }
  }

  /// The strides of `extents` elements of `unit` bytes, packed in row-major order.
  static func packedStrides(_ extents: [Int], unit: Int) -> [Int] {
    var stride = unit
    var strides = extents
    for dimension in strides.indices.reversed() {
      strides[dimension] = stride
      stride *= extents[dimension]
    }
    return strides
  }
}

internal import CkptBase

/// The bytes of storages that tensors use; a format of tensors cannot hold the other bytes.
package struct StorageCoverage: Sendable {
  /// The first used range of each storage, by index; most storages have only one.
  private var first: [Range<Int>?] = []
  /// The other used ranges.
  private var others: [StorageID: [Range<Int>]] = [:]

  /// Creates the coverage of no tensors.
  package init() {}

  /// The maximum number of runs of adjacent elements in a tensor.
  ///
  /// A tensor with more runs counts as using all bytes between its first and last one.
  private static let mostRuns = 1 << 16
  /// The maximum number of runs of all tensors; then every tensor counts as one run.
  ///
  /// A pickle can describe a tensor of ``mostRuns`` runs with about sixty bytes.
  private static let mostRunsInAll = 1 << 20
  private var runCount = 0

  /// Adds the bytes of a tensor.
  package mutating func add(_ tensor: Tensor) {
    guard let storage = tensor.storage, tensor.elementCount > 0 else { return }
    let width = tensor.dtype.byteCount
    if tensor.isContiguous {
      runCount += 1
      return reach(
        tensor.offset * width..<(tensor.offset + tensor.elementCount) * width, of: storage)
    }
    // Adjacent packed dimensions are merged; the order of dimensions does not matter.
    var dimensions = zip(tensor.shape, tensor.strides)
      .filter { $0.0 != 1 && $0.1 != 0 }
      .sorted { $0.1 < $1.1 }
    var run = 1
    while let first = dimensions.first, first.1 == run {
      run *= first.0
      dimensions.removeFirst()
    }
    let count = dimensions.reduce(1) { product, dimension in
      product > Self.mostRuns ? product : product * dimension.0
    }
    runCount += count
    guard count <= Self.mostRuns, runCount <= Self.mostRunsInAll else {
      let extent = zip(tensor.shape, tensor.strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
      return reach(tensor.offset * width..<(tensor.offset + extent) * width, of: storage)
    }
    var starts = [tensor.offset]
    for (size, stride) in dimensions {
      starts = starts.flatMap { start in (0..<size).map { start + $0 * stride } }
    }
    WorkCount.add(starts.count)
    for start in starts { reach(start * width..<(start + run) * width, of: storage) }
  }

  private mutating func reach(_ range: Range<Int>, of storage: StorageID) {
    let index = Int(storage.index)
    while first.count <= index { first.append(nil) }
    if first[index] == nil {
      first[index] = range
    } else {
      others[storage, default: []].append(range)
    }
  }

  /// Returns the number of unused bytes of a storage.
  package func missedByteCount(of id: StorageID, byteCount: Int) -> Int {
    missedRanges(of: id, byteCount: byteCount).reduce(0) { $0 + $1.count }
  }

  /// Returns the unused ranges of a storage, in order.
  package func missedRanges(of id: StorageID, byteCount: Int) -> [Range<Int>] {
    let index = Int(id.index)
    let first = index < first.count ? first[index] : nil
    if let first, first == 0..<byteCount { return [] }
    let reached = (first.map { [$0] } ?? []) + (others[id] ?? [])
    var missed: [Range<Int>] = []
    var position = 0
    for range in reached.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > position { missed.append(position..<range.lowerBound) }
      position = max(position, range.upperBound)
    }
    if byteCount > position { missed.append(position..<byteCount) }
    return missed
  }
}

/// The identity of the bytes that a tensor shows of its storage: tensors with equal views are tied.
package struct TensorView: Hashable, Sendable {
  private let storage: StorageID
  private let dtype: DType
  private let shape: [Int]
  private let strides: [Int]
  private let offset: Int
  private let isConjugated: Bool
  private let isNegated: Bool

  /// Creates the view of a tensor, or `nil` for a tensor without bytes.
  package init?(_ tensor: Tensor) {
    guard let storage = tensor.storage, tensor.elementCount > 0 else { return nil }
    self.storage = storage
    dtype = tensor.dtype
    shape = tensor.shape
    strides = tensor.strides
    offset = tensor.offset
    isConjugated = tensor.isConjugated
    isNegated = tensor.isNegated
  }

  /// Hashes the parts that nearly always differ; the others are only compared.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(storage)
    hasher.combine(offset)
    hasher.combine(shape.first)
  }
}

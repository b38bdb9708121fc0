internal import CkptBase

/// Which bytes of the storages some tensor reaches; a format of tensors has no place for the others.
package struct StorageCoverage: Sendable {
  /// The first stretch of each storage, by its place in the graph: most have no other.
  private var first: [Range<Int>?] = []
  /// The other stretches.
  private var others: [StorageID: [Range<Int>]] = [:]

  /// The coverage by no tensors.
  package init() {}

  /// A tensor that falls into more runs of neighboring elements counts as reaching all between
  /// its first and last byte.
  private static let mostRuns = 1 << 16
  /// So does every tensor once there are this many runs in all: some sixty bytes of a pickle
  /// describe a tensor of ``mostRuns``.
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
    // Neighboring dimensions that are packed are one; the order of dimensions does not matter.
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

  /// The number of bytes of a storage that no tensor reaches.
  package func missedByteCount(of id: StorageID, byteCount: Int) -> Int {
    missedRanges(of: id, byteCount: byteCount).reduce(0) { $0 + $1.count }
  }

  /// The stretches of a storage that no tensor reaches, in order.
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

/// The bytes that a tensor shows of its storage, as far as they identify it: tensors with equal
/// views are tied.
package struct TensorView: Hashable, Sendable {
  private let storage: StorageID
  private let dtype: DType
  private let shape: [Int]
  private let strides: [Int]
  private let offset: Int
  private let isConjugated: Bool
  private let isNegated: Bool

  /// The view of a tensor, or `nil` for one that has no bytes to share.
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

  /// Feeds what nearly always tells views apart; the rest is only compared.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(storage)
    hasher.combine(offset)
    hasher.combine(shape.first)
  }
}

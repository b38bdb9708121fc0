internal import Graph

/// The numbered objects of a pickle in progress.
///
/// Numbers are dense in what picklers write, and may be anything in what attackers write: those
/// beyond the pickle's own length go to a dictionary.
struct Memo {
  private var dense: [NodeID?] = []
  private var sparse: [Int: NodeID] = [:]
  private var count = 0
  private let denseLimit: Int

  init(expectedBytes: Int = 0) { denseLimit = expectedBytes }

  func get(_ index: Int) -> NodeID? {
    index >= 0 && index < dense.count ? dense[index] : sparse[index]
  }

  mutating func put(_ id: NodeID, at index: Int) {
    if get(index) == nil { count += 1 }
    guard index >= 0, index < denseLimit else {
      sparse[index] = id
      return
    }
    while dense.count <= index { dense.append(nil) }
    dense[index] = id
  }

  /// Numbers `id` with the count of entries so far: MEMOIZE.
  mutating func append(_ id: NodeID) { put(id, at: count) }
}

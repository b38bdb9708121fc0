internal import Graph

/// Says that tensors have several element types where trainers write one; mixtures come from
/// careless casts.
enum DTypeMixture {
  /// How many tensors have which type, the most frequent first; `nil` where all have one.
  static func words(_ counts: [DType: Int]) -> String? {
    guard counts.count > 1 else { return nil }
    return counts.sorted { ($1.value, $0.key.name) < ($0.value, $1.key.name) }
      .map { "\($0.value) of \($0.key.name)" }.joined(separator: ", ")
  }

  /// What to say of it.
  static let remedy = "some were cast, or come from another file"
}

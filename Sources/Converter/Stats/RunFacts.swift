internal import CkptCopy

/// Numbers about a checkpoint that a report tells once.
struct RunFacts: Sendable {
  private(set) var parameters = 0
  private(set) var tensors = 0
  private(set) var blocks = 0
  private(set) var notFinite = 0
  private(set) var optimizer: String?
  private(set) var settings = OptimizerSettings()

  /// The facts of no checkpoint.
  init() {}

  /// The facts of a checkpoint.
  init(of checkpoint: CheckpointStatistics) {
    parameters = checkpoint.parameterCount
    tensors = checkpoint.weights.count
    blocks = Set(checkpoint.weights.compactMap(\.block)).count
    notFinite = checkpoint.tensors.reduce(0) { $0 + $1.statistics.nan + $1.statistics.infinite }
    optimizer = checkpoint.optimizer
    settings = checkpoint.groups.first ?? checkpoint.parameters.first?.settings ?? settings
  }
}

/// The distributions of magnitudes in a checkpoint, by the role of the tensors.
struct Magnitudes: Sendable {
  /// The distributions of weights.
  private(set) var byRole: [ParameterRole: MagnitudeHistogram] = [:]
  /// The distribution of all second moments.
  private(set) var secondMoments: MagnitudeHistogram?
  /// The norms of the rows of the embedding.
  private(set) var embeddingRows: AxisNorms?

  init(of checkpoint: CheckpointStatistics) {
    let end = "." + OptimizerTensors.second
    for tensor in checkpoint.tensors {
      if tensor.part == .model, tensor.role == .embedding, embeddingRows == nil {
        embeddingRows = tensor.statistics.rows
      }
      guard let histogram = tensor.statistics.histogram else { continue }
      if tensor.part == .model {
        byRole[tensor.role] = byRole[tensor.role]?.merged(with: histogram) ?? histogram
      } else if tensor.name.hasSuffix(end) {
        secondMoments = secondMoments?.merged(with: histogram) ?? histogram
      }
    }
  }
}

extension MagnitudeHistogram {
  /// The counts of both.
  fileprivate func merged(with other: MagnitudeHistogram) -> MagnitudeHistogram {
    let first = min(self.first, other.first)
    let end = max(self.first + counts.count, other.first + other.counts.count)
    var sums = [Int](repeating: 0, count: end - first)
    for histogram in [self, other] {
      for (place, count) in histogram.counts.enumerated() {
        sums[histogram.first - first + place] &+= count
      }
    }
    return MagnitudeHistogram(first: first, counts: sums)
  }
}

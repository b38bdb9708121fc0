internal import CkptBase
internal import CkptCheck
internal import CkptCheckpoints
internal import CkptCopy

/// Judges the checkpoints of a run, one after the other, by thirteen rules.
///
/// A rule is told once for each tensor and severity, with the first step at which it holds.
/// `Documentation/stats.md` has the reasons for the thresholds.
struct StatisticsRules: Sendable {
  /// The findings, in the order of the checkpoints.
  private(set) var findings: [StatisticsFinding] = []

  private struct Key: Hashable {
    let severity: Finding.Severity
    let rule: StatisticsFinding.Rule
    let tensor: ExactString?
  }

  /// The type, shape and checksum of a tensor: equal ones have not changed.
  private struct Fingerprint: Hashable {
    let dtype: String
    let shape: [Int]
    let crc32: UInt32

    init(_ tensor: CheckpointStatistics.TensorRow) {
      dtype = tensor.dtype
      shape = tensor.shape
      crc32 = tensor.statistics.crc32
    }
  }

  private var told: Set<Key> = []
  /// The gradient norms of the checkpoints so far.
  private var gradientNorms: [Double] = []
  /// The root mean squares of the checkpoint before, which is not of step 0.
  private var moduleSizes: [ParameterRole: Double] = [:]
  /// The weights of the checkpoint before.
  private var fingerprints: [ExactString: Fingerprint] = [:]
  private var previousStep: Int?
  /// The decays of the moments in the checkpoints so far.
  private var decays: Set<[Double]> = []
  /// The step and path of the checkpoint that is judged.
  private var place: (step: Int?, path: String) = (nil, "")

  /// The number of steps from which updates have their usual size.
  private static let warmUp = 20
  /// The number of earlier checkpoints that gradients are compared with.
  private static let memory = 8

  /// Judges the next checkpoint.
  mutating func judge(_ checkpoint: CheckpointStatistics) {
    place = (checkpoint.step, checkpoint.path)
    for tensor in checkpoint.tensors { judgeElements(tensor) }
    for tensor in checkpoint.weights { judgeWeights(tensor, checkpoint) }
    let shapes = Dictionary(
      checkpoint.weights.map { (ExactString($0.name), $0.shape) },
      uniquingKeysWith: { first, _ in first })
    let isOneRun = notesDecays(of: checkpoint)
    for parameter in checkpoint.parameters {
      judgeUpdates(parameter, shapes[ExactString(parameter.name)] ?? [], isOneRun: isOneRun)
      judgeRows(parameter, vocabularySize: checkpoint.vocabularySize)
    }
    judgeGradients(checkpoint)
    judgeModules(checkpoint)
    fingerprints = [:]
    for tensor in checkpoint.weights {
      fingerprints[ExactString(tensor.name)] = Fingerprint(tensor)
    }
    previousStep = checkpoint.step
  }

  private mutating func tell(
    _ severity: Finding.Severity, _ rule: StatisticsFinding.Rule, _ tensor: String?,
    _ value: StatisticsFinding.Value, threshold: Double? = nil, _ message: @autoclosure () -> String
  ) {
    let key = Key(severity: severity, rule: rule, tensor: tensor.map { ExactString($0) })
    guard told.insert(key).inserted else { return }
    findings.append(
      StatisticsFinding(
        severity: severity, rule: rule, step: place.step, path: place.path, tensor: tensor,
        value: value, threshold: threshold, message: message()))
  }

  // MARK: Tensors

  private mutating func judgeElements(_ tensor: CheckpointStatistics.TensorRow) {
    let numbers = tensor.statistics
    let count = numbers.nan + numbers.infinite
    if count > 0 {
      tell(.problem, .notFinite, tensor.name, .count(count), threshold: 0, tensor.notFiniteMessage)
    }
    if let count = numbers.atLimit, count > 0, !["float32", "float64"].contains(tensor.dtype) {
      tell(
        .warning, .saturated, tensor.name, .count(count), threshold: 0,
        "\(count.pluralized("element")) \(count == 1 ? "is" : "are") as large as \(tensor.dtype) "
          + "can hold: larger values were cut off")
    }
  }

  private mutating func judgeWeights(
    _ tensor: CheckpointStatistics.TensorRow, _ checkpoint: CheckpointStatistics
  ) {
    if tensor.shape.isLargeMatrix {
      let kurtosis = tensor.statistics.kurtosis ?? 0
      if kurtosis > 30, kurtosis.isFinite {
        tell(
          .warning, .outliers, tensor.name, .number(kurtosis), threshold: 30,
          "kurtosis \(short(kurtosis)): a few weights are far larger than the others; a format of "
            + "8 bits would round the others away")
      } else if kurtosis > 10, kurtosis.isFinite {
        tell(
          .note, .outliers, tensor.name, .number(kurtosis), threshold: 10,
          "kurtosis \(short(kurtosis)): a few weights are larger than the others; 3 to 6 is usual")
      } else if let message = tensor.statistics.longAxisMessage {
        tell(.note, .outliers, tensor.name, .number(kurtosis), threshold: 8, message)
      }
    }
    guard let previousStep, let step = checkpoint.step, previousStep != step,
      tensor.statistics.elements > 0, tensor.statistics.nan == 0,
      fingerprints[ExactString(tensor.name)] == Fingerprint(tensor),
      checkpoint.groups.isEmpty || checkpoint.groups.contains(where: { $0.learningRate != 0 })
    else { return }
    tell(
      .warning, .frozen, tensor.name, .count(step), "unchanged since step \(previousStep)")
  }

  // MARK: Updates

  /// Notes the decays of a checkpoint; returns whether all checkpoints so far have the same.
  private mutating func notesDecays(of checkpoint: CheckpointStatistics) -> Bool {
    for group in checkpoint.groups {
      if let beta1 = group.beta1, let beta2 = group.beta2 { decays.insert([beta1, beta2]) }
    }
    return decays.count <= 1
  }

  private mutating func judgeUpdates(
    _ parameter: CheckpointStatistics.ParameterRow, _ shape: [Int], isOneRun: Bool
  ) {
    let (name, updates) = (parameter.name, parameter.statistics)
    let disagreeing = (updates.overBound ?? 0) + updates.secondNegative
    if disagreeing > 0 {
      tell(
        isOneRun ? .problem : .warning, .momentsDisagree, name, .count(disagreeing), threshold: 0,
        "no gradients lead to the moments of \(disagreeing) of "
          + "\(updates.elements.pluralized("element")): "
          + (isOneRun
            ? "exp_avg and exp_avg_sq are not of one run"
            : "the decays of the moments have changed"))
    }
    let vanished = updates.secondZeroFirstNonzero
    if vanished > 0 {
      tell(
        .warning, .secondMomentVanished, name, .count(vanished), threshold: 0,
        "exp_avg_sq is 0 and exp_avg is not in \(vanished.pluralized("element")): squares of "
          + "gradients are too small for float32, and updates have no meaning")
    }
    if shape.isLargeMatrix { judgeSizes(parameter, columns: shape[1]) }
    if let share = parameter.relativeUpdate, share.isFinite, share > 0.1 {
      tell(
        .warning, .relativeUpdate, name, .number(share), threshold: 0.1,
        "one update changes the weights by \(short(100 * share)) % of their norm; about 0.1 % is "
          + "usual")
    }
  }

  private mutating func judgeSizes(
    _ parameter: CheckpointStatistics.ParameterRow, columns: Int
  ) {
    let (name, updates) = (parameter.name, parameter.statistics)
    let stale = (updates.rowsWithoutUpdate ?? 0) * columns
    let rest = updates.elements - stale
    if rest > 0, Double(updates.belowEpsilon - stale) / Double(rest) >= 0.1 {
      let share = Double(updates.belowEpsilon - stale) / Double(rest)
      let epsilon = parameter.settings.epsilon.map { " \(short($0))" } ?? ""
      tell(
        .warning, .epsilon, name, .number(share), threshold: 0.1,
        "gradients are smaller than epsilon\(epsilon) in \(short(100 * share)) % of the elements: "
          + "their updates are too small")
    }
    guard parameter.role != .embedding, let rule = parameter.settings.rule,
      rule.step >= Self.warmUp, let size = updates.updateRootMeanSquare, size.isFinite
    else { return }
    let (low, high) = (rule.noiseFloor / 5, 3 * rule.noiseFloor)
    guard size < low || size > high else { return }
    tell(
      .warning, .updateSize, name, .number(size), threshold: size < low ? low : high,
      "the RMS of the update is \(short(size)); \(short(low)) to \(short(high)) is usual")
  }

  private mutating func judgeRows(
    _ parameter: CheckpointStatistics.ParameterRow, vocabularySize: Int?
  ) {
    let updates = parameter.statistics
    guard let count = updates.rowsWithoutUpdate, count > 0, parameter.role == .embedding else {
      return
    }
    let ranges = updates.rowRangesWithoutUpdate
    let inside = vocabularySize.map { size in
      ranges.reduce(0) { $0 + max(0, min($1.upperBound, size - 1) - $1.lowerBound + 1) }
    }
    let rows = "\(count.pluralized("row")) without update (\(ranges.words))"
    let message =
      switch (inside, vocabularySize) {
      case (0, let size?): "\(rows), all beyond vocab_size \(size): padding"
      case (let inside?, let size?):
        "\(rows), \(inside) of them among the \(size) of vocab_size: these tokens do not occur in "
          + "the data"
      default: "\(rows): padding, or tokens that do not occur in the data"
      }
    tell(
      inside ?? 0 > 0 ? .warning : .note, .rows, parameter.name,
      .rows(count: count, inVocabulary: inside ?? 0, ranges: ranges), message)
  }

  // MARK: The whole model

  private mutating func judgeGradients(_ checkpoint: CheckpointStatistics) {
    guard let norm = checkpoint.total.gradientNorm, norm > 0, norm.isFinite else { return }
    if let median = gradientNorms.suffix(Self.memory).median, norm > 2 * median {
      tell(
        .warning, .gradientJump, nil, .number(norm / median), threshold: 2,
        "the gradient norm is \(short(norm / median)) times the median of the checkpoints before")
    }
    if let limit = checkpoint.gradientLimit, limit > 0, norm >= 0.9 * limit {
      tell(
        .note, .alwaysClipped, nil, .number(norm / limit), threshold: 0.9,
        "the gradient norm is \(short(100 * norm / limit)) % of max_grad_norm \(short(limit)): "
          + "nearly every step is clipped")
    }
    gradientNorms.append(norm)
  }

  private mutating func judgeModules(_ checkpoint: CheckpointStatistics) {
    let modules = checkpoint.modules
    for (role, module) in modules {
      guard let before = moduleSizes[role], before > 0, module.rootMeanSquare > 2 * before else {
        continue
      }
      let ratio = module.rootMeanSquare / before
      tell(
        .warning, .weightsJump, role.rawValue, .number(ratio), threshold: 2,
        "the RMS of these weights is \(short(ratio)) times that of the checkpoint before")
    }
    // Initial weights are no measure for trained ones.
    guard checkpoint.step != 0 else { return }
    moduleSizes = [:]
    for (role, module) in modules { moduleSizes[role] = module.rootMeanSquare }
  }
}

/// The number of elements from which the distribution in a matrix says something.
private let leastElements = 256

/// A number in a message: three digits.
private func short(_ number: Double) -> String { ShortNumber.text(number, digits: 3) }

extension [Int] {
  /// Whether a tensor of that shape is a matrix with enough elements to judge their distribution.
  fileprivate var isLargeMatrix: Bool { count == 2 && self[0] * self[1] >= leastElements }
}

extension CheckpointStatistics.TensorRow {
  /// The number of elements that are not finite, and the place of the first.
  fileprivate var notFiniteMessage: String {
    var words: [String] = []
    if statistics.nan > 0 { words.append("\(statistics.nan) NaN") }
    if statistics.infinite > 0 { words.append("\(statistics.infinite) infinite") }
    let place = statistics.firstNotFinite.map { ", the first at \(indices(ofElement: $0))" } ?? ""
    return "\(words.joined(separator: " and ")) of "
      + "\(statistics.elements.pluralized("element"))\(place)"
  }

  private func indices(ofElement number: Int) -> [Int] {
    var rest = number
    return shape.reversed().map { size in
      defer { rest /= max(size, 1) }
      return rest % max(size, 1)
    }.reversed()
  }
}

extension ElementStatistics {
  /// The row or column that is far longer than the others; `nil` without one.
  fileprivate var longAxisMessage: String? {
    for (axis, name) in [(rows, "row"), (columns, "column")] {
      guard let axis, axis.rootMeanSquare > 0, axis.maximum > 8 * axis.rootMeanSquare else {
        continue
      }
      return
        "\(name) \(axis.maximumPlace) is \(short(axis.maximum / axis.rootMeanSquare)) times as "
        + "long as \(name)s are on average"
    }
    return nil
  }
}

extension Collection where Element == ClosedRange<Int>, Index == Int {
  /// The first ranges: `100 to 139, 240 to 255`.
  fileprivate var words: String {
    let texts = prefix(4).map { range in
      range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }
    return texts.joined(separator: ", ") + (count > 4 ? ", ..." : "")
  }
}

extension Collection<Double> {
  /// The number in the middle, or the mean of the two there; `nil` without numbers.
  fileprivate var median: Double? {
    guard !isEmpty else { return nil }
    let sorted = sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}

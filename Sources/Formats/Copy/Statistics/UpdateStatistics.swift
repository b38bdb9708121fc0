/// The settings of Adam, at one step, that decide the size of its updates.
///
/// With m and v as the first and second moments, m̂ = m ∕ (1 − β1ᵗ), v̂ = v ∕ (1 − β2ᵗ), an update is
/// m̂ ∕ (√v̂ + ε) (Kingma and Ba 2015; `torch/optim/adamw.py`).
public struct UpdateRule: Hashable, Sendable {
  /// The number of steps that the moments have been through.
  public let step: Int
  /// The decay of the first moment.
  public let beta1: Double
  /// The decay of the second moment.
  public let beta2: Double
  /// The number that is added to the root of the second moment.
  public let epsilon: Double
  /// The factor that makes m̂ of m.
  let firstScale: Double
  /// The factor that makes v̂ of v.
  let secondScale: Double

  /// A rule; `nil` for settings that no run can have.
  public init?(step: Int, beta1: Double, beta2: Double, epsilon: Double) {
    guard step > 0, (0..<1).contains(beta1), (0..<1).contains(beta2), epsilon >= 0,
      epsilon.isFinite
    else { return nil }
    self.step = step
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    firstScale = 1 / (1 - beta1.power(step))
    secondScale = 1 / (1 - beta2.power(step))
  }

  /// The largest |m| ∕ √v that any gradients lead to; `nil` if there is no such number.
  ///
  /// By the inequality of Cauchy and Schwarz over the history of gradients, at every step and without
  /// the corrections of the bias.
  public var bound: Double? {
    guard beta1 * beta1 < beta2 else { return nil }
    return (1 - beta1) / ((1 - beta2) * (1 - beta1 * beta1 / beta2)).squareRoot()
  }

  /// The root mean square of updates if gradients are white noise.
  public var noiseFloor: Double { ((1 - beta1) / (1 + beta1)).squareRoot() }

  /// The room that rounding gets in comparisons with ``bound``.
  private static let tolerance = 1.01
  static let slack = 1e-19

  /// The largest |m| by √v̂, rounding included; infinite without ``bound``.
  var rootLimit: Double {
    guard let bound else { return .infinity }
    return Self.tolerance * bound / secondScale.squareRoot()
  }
}

extension Double {
  /// The number multiplied with itself so many times.
  fileprivate func power(_ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, self, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}

/// Numbers about the updates that Adam makes with the moments of a parameter.
///
/// Elements whose moments are NaN or infinite, or whose second moment is negative, are left out.
public struct UpdateStatistics: Hashable, Sendable {
  /// The number of elements.
  public var elements = 0
  /// The number of elements that were not left out.
  public var used = 0
  /// √Σv̂: the norm of the gradients over the memory of the second moment.
  public var gradientNorm = 0.0
  /// √(mean v̂); `nil` without elements.
  public var gradientRootMeanSquare: Double?
  /// The norm of the update, before the learning rate.
  public var updateNorm = 0.0
  /// The root mean square of the update; `nil` without elements.
  public var updateRootMeanSquare: Double?
  /// The largest absolute value of the update; `nil` without elements.
  public var updateMaximum: Double?
  /// Σm̂² ∕ Σv̂; `nil` where that is not a number.
  public var coherence: Double?
  /// The number of elements with √v̂ < ε.
  public var belowEpsilon = 0
  /// The number of elements with v = 0.
  public var secondZero = 0
  /// The number of elements with v = 0 and m ≠ 0.
  public var secondZeroFirstNonzero = 0
  /// The number of elements with v < 0.
  public var secondNegative = 0
  /// The number of elements that no gradients lead to; `nil` without ``UpdateRule/bound``.
  public var overBound: Int?
  /// The number of rows of a matrix without a v of at least 2⁻¹²⁶; `nil` for tensors that are no
  /// matrices.
  public var rowsWithoutUpdate: Int?
  /// The numbers of these rows, as far as they are in the first ``rangeLimit`` runs.
  public var rowRangesWithoutUpdate: [ClosedRange<Int>] = []

  /// The most runs of rows that are kept.
  public static let rangeLimit = 1 << 16

  /// The statistics of no elements.
  public init() {}

  /// Takes over sums that were taken by `rule`.
  mutating func set(_ sums: UpdateSums, by rule: UpdateRule) {
    used = sums.used
    let gradients = sums.seconds * rule.secondScale
    gradientNorm = gradients.squareRoot()
    updateNorm = sums.updateSquares.squareRoot()
    if used > 0 {
      gradientRootMeanSquare = (gradients / Double(used)).squareRoot()
      updateRootMeanSquare = (sums.updateSquares / Double(used)).squareRoot()
      updateMaximum = sums.updateMaximum
    }
    if gradients > 0 {
      coherence = sums.firstSquares * rule.firstScale * rule.firstScale / gradients
    }
    belowEpsilon = sums.belowEpsilon
    secondZero = sums.secondZero
    secondZeroFirstNonzero = sums.secondZeroFirstNonzero
    secondNegative = sums.secondNegative
    overBound = rule.bound == nil ? nil : sums.overBound
  }
}

/// The sums over the elements of two moments that ``UpdateStatistics`` follow from.
struct UpdateSums: Mergeable, Hashable {
  var used = 0
  /// The sum of v.
  var seconds = 0.0
  /// The sum of m².
  var firstSquares = 0.0
  /// The sum of the squares of the updates.
  var updateSquares = 0.0
  var updateMaximum = 0.0
  var belowEpsilon = 0
  var secondZero = 0
  var secondZeroFirstNonzero = 0
  var secondNegative = 0
  var overBound = 0

  mutating func merge(_ next: UpdateSums) {
    used += next.used
    seconds += next.seconds
    firstSquares += next.firstSquares
    updateSquares += next.updateSquares
    updateMaximum = max(updateMaximum, next.updateMaximum)
    belowEpsilon += next.belowEpsilon
    secondZero += next.secondZero
    secondZeroFirstNonzero += next.secondZeroFirstNonzero
    secondNegative += next.secondNegative
    overBound += next.overBound
  }
}

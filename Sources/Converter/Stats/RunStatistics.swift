internal import CkptBase
public import CkptCheck
internal import CkptCopy

/// Numbers about the checkpoints of one run, one after the other.
///
/// A checkpoint is taken in and forgotten; what remains of it are a few numbers for each tensor and the
/// sketches of its weights. Distances between checkpoints follow from the sketches.
public struct RunStatistics: Sendable {
  /// Numbers about one checkpoint as a part of the run.
  public struct StepRow: Hashable, Sendable {
    /// The checkpoint.
    public var path: String
    /// Its step.
    public var step: Int?
    /// The learning rate: the largest of the groups.
    public var learningRate: Double?
    /// The root mean square of the weights.
    public var rootMeanSquare = 0.0
    /// The norm of the weights.
    public var norm = 0.0
    /// The norm of the gradients.
    public var gradientNorm: Double?
    /// The norm of the update, before the learning rate.
    public var updateNorm: Double?
    /// The root mean square of the update.
    public var updateRootMeanSquare: Double?
    /// The norm of the update, learning rate included, by the norm of the weights.
    public var relativeUpdate: Double?
    /// The distance of the weights from those of the checkpoint before.
    public var distance: Double?
    /// The distance divided by the norm of the weights before.
    public var relativeDistance: Double?
    /// The distance from the first checkpoint.
    public var distanceFromFirst: Double?
    /// The cosine of the angle between the last two moves.
    public var turn: Double?
  }

  /// Numbers about the tensors of one role in one checkpoint.
  struct ModuleRow: Hashable {
    var module: ModuleStatistics
    var distance: Double?
    var distanceFromFirst: Double?
  }

  /// The checkpoints in their order.
  public private(set) var rows: [StepRow] = []
  /// The numbers by role, for each checkpoint.
  private(set) var modules: [[ParameterRole: ModuleRow]] = []
  /// The numbers by tensor, for each checkpoint.
  private(set) var history = TensorHistory()
  /// The distributions of magnitudes, for each checkpoint.
  private(set) var magnitudes: [Magnitudes] = []
  /// The losses that the checkpoints themselves have.
  public private(set) var losses = RunMetrics()
  /// The numbers of the last checkpoint that are no series.
  private(set) var facts = RunFacts()
  /// Whether distances were computed from the weights themselves.
  public private(set) var isExact = false
  private var rules = StatisticsRules()
  private var moves = WeightMoves()
  private var similarities = SketchSimilarities()

  /// A run without checkpoints.
  public init() {}

  /// The findings, the gravest first, then in the order of steps.
  public var findings: [StatisticsFinding] {
    Finding.Severity.allCases.flatMap { severity in
      rules.findings.filter { $0.severity == severity }
    }
  }

  /// The number of findings of that severity.
  public func count(_ severity: Finding.Severity) -> Int {
    rules.findings.count { $0.severity == severity }
  }

  /// The inner products of the weights of all pairs of checkpoints.
  var products: [[Double]] { similarities.products }

  /// The cosines of the angles between the weights of all checkpoints.
  public var similarity: [[Double]] { similarities.cosines }

  /// Takes in the next checkpoint, whose moves are known exactly or follow from sketches.
  public mutating func add(_ checkpoint: CheckpointStatistics) {
    rules.judge(checkpoint)
    history.add(checkpoint)
    let moved = moves.add(checkpoint)
    similarities.add(checkpoint, history)
    let total = checkpoint.total
    var row = StepRow(path: checkpoint.path, step: checkpoint.step)
    row.learningRate =
      checkpoint.groups.compactMap(\.learningRate).max()
      ?? checkpoint.parameters.compactMap(\.settings.learningRate).max()
    row.rootMeanSquare = total.rootMeanSquare
    row.norm = total.norm
    row.gradientNorm = total.gradientNorm
    row.updateNorm = total.updateNorm
    row.updateRootMeanSquare = total.updateRootMeanSquare
    if let norm = total.updateNorm, let rate = row.learningRate, total.norm > 0 {
      row.relativeUpdate = rate * norm / total.norm
    }
    row.distance = moved.total.distance
    row.distanceFromFirst = moved.total.distanceFromFirst
    row.turn = moved.total.turn
    if let distance = row.distance, let before = rows.last?.norm, before > 0 {
      row.relativeDistance = distance / before
    }
    rows.append(row)
    magnitudes.append(Magnitudes(of: checkpoint))
    losses.add(checkpoint.losses)
    facts = RunFacts(of: checkpoint)
    var byRole: [ParameterRole: ModuleRow] = [:]
    for (role, module) in checkpoint.modules {
      let move = moved.byRole[role]
      byRole[role] = ModuleRow(
        module: module, distance: move?.distance, distanceFromFirst: move?.distanceFromFirst)
    }
    modules.append(byRole)
  }
}

/// The numbers of a checkpoint as a part of a run, as `series` of JSON and tables name them.
extension StatisticsField<RunStatistics.StepRow> {
  static let all: [Self] = [
    Self("lr", \.learningRate), Self("rms", \.rootMeanSquare), Self("norm", \.norm),
    Self("grad_norm", \.gradientNorm), Self("update_norm", \.updateNorm),
    Self("update_rms", \.updateRootMeanSquare), Self("relative_update", \.relativeUpdate),
    Self("distance_previous", \.distance), Self("relative_distance", \.relativeDistance),
    Self("distance_first", \.distanceFromFirst), Self("turn", \.turn),
  ]
}

public import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptModels
internal import CkptPlan
internal import CkptSafetensors

/// Finds the tensors of a checkpoint and which belong together, and has them measured.
struct CheckpointMeasurement {
  private(set) var statistics: CheckpointStatistics
  private var units: [MeasurementUnit] = []
  private let budget: CopyBudget
  /// The names of weights without wrappers, with their rows.
  private var weights: [ExactString: Int] = [:]
  /// For each parameter, the row of its weight.
  private var weightRows: [Int?] = []

  /// Prepares to measure the checkpoint at `path`.
  ///
  /// - Throws: what keeps its structure from being read.
  init(of path: String, _ options: StatisticsOptions) throws(CheckpointError) {
    statistics = CheckpointStatistics(path: path)
    budget = options.budget
    let sources = try StatisticsSources(of: path, options.part, options.reading)
    statistics.warnings = sources.warnings
    statistics.step = sources.step
    statistics.losses = sources.losses
    statistics.vocabularySize = sources.settings.vocabularySize
    statistics.gradientLimit = sources.settings.gradientLimit
    statistics.optimizer = sources.settings.optimizer
    for file in sources.files {
      statistics.files.append(try FileIdentity(of: file))
    }
    if let model = sources.model { try add(model: model) }
    if let optimizer = sources.optimizer {
      try add(optimizer: optimizer, defaults: sources.settings.defaults)
    }
    units.shareChecksums()
  }

  // MARK: Tensors

  private mutating func add(model source: StatisticsSources.Source) throws(CheckpointError) {
    let graph = source.checkpoint.graph
    let leaves = try CheckpointError.within(source.path) { () throws(CheckpointError) in
      try NamedLeaf.all(of: graph)
    }
    var tensors: [(name: String, parameter: ParameterName, id: TensorID)] = []
    for leaf in leaves {
      guard case .tensor(let id) = graph[leaf.node] else { continue }
      tensors.append((leaf.name, ParameterName(leaf.name), id))
    }
    let groupSize = ParameterName.groupSize(of: tensors.lazy.map(\.parameter))
    var known: Set<TensorBytes> = []
    for (name, parameter, id) in tensors {
      if let bytes = TensorBytes(graph[id], of: graph), !known.insert(bytes).inserted { continue }
      let place = TensorPlace(parameter, groupSize: groupSize)
      let row = addRow(name, .model, place, graph[id])
      weights[ExactString(place.name)] = row
      if let elements = try elements(of: graph[id], graph, named: name, keepsSketch: true) {
        units.append(MeasurementUnit(subject: .tensor(row: row), tensors: [elements]))
      }
    }
  }

  private mutating func add(
    optimizer source: StatisticsSources.Source, defaults: OptimizerSettings
  ) throws(CheckpointError) {
    let graph = source.checkpoint.graph
    let state = try CheckpointError.within(source.path) { () throws(CheckpointError) in
      try OptimizerTensors(of: graph, defaults: defaults)
    }
    statistics.groups = state.groups
    statistics.gradientLimit = statistics.gradientLimit ?? state.gradientLimit
    let groupSize = state.groupSize
    for parameter in state.parameters {
      try add(parameter, graph, TensorPlace(parameter.name, groupSize: groupSize))
    }
    let steps = Set(state.parameters.compactMap(\.settings.step))
    if steps.count == 1 { statistics.step = statistics.step ?? steps.first }
  }

  private mutating func add(
    _ parameter: OptimizerTensors.Parameter, _ graph: TensorGraph, _ place: TensorPlace
  ) throws(CheckpointError) {
    var rows: [(key: String, row: Int, elements: MeasuredElements?)] = []
    for (key, id) in parameter.moments {
      let name = "\(place.name).\(key)"
      let row = addRow(name, .optim, place, graph[id])
      rows.append((key, row, try elements(of: graph[id], graph, named: name, keepsSketch: false)))
    }
    let first = rows.firstIndex { $0.key == OptimizerTensors.first }
    let second = rows.firstIndex { $0.key == OptimizerTensors.second }
    if let rule = parameter.settings.rule, let first, let second,
      let firsts = rows[first].elements, let seconds = rows[second].elements,
      firsts.shape == seconds.shape
    {
      let number = statistics.parameters.count
      statistics.parameters.append(
        .init(
          name: weights[ExactString(place.name)].map { statistics.tensors[$0].name } ?? place.name,
          role: place.role, block: place.block, settings: parameter.settings,
          statistics: UpdateStatistics()))
      weightRows.append(weights[ExactString(place.name)])
      units.append(
        MeasurementUnit(
          subject: .moments(
            parameter: number, first: rows[first].row, second: rows[second].row, rule),
          tensors: [firsts, seconds]))
      rows[first].elements = nil
      rows[second].elements = nil
    }
    for (_, row, elements) in rows {
      if let elements {
        units.append(MeasurementUnit(subject: .tensor(row: row), tensors: [elements]))
      }
    }
  }

  private mutating func addRow(
    _ name: String, _ part: CheckpointStatistics.Part, _ place: TensorPlace, _ tensor: Tensor
  ) -> Int {
    var numbers = ElementStatistics()
    numbers.elements = tensor.elementCount
    statistics.tensors.append(
      .init(
        name: name, part: part, role: place.role, block: place.block, dtype: tensor.dtype.name,
        shape: tensor.shape, statistics: numbers))
    return statistics.tensors.count - 1
  }

  /// The elements of a tensor; `nil` if they are no numbers, or in no file.
  ///
  /// - Throws: `limitExceeded` for a tensor that repeats few elements without end.
  private func elements(
    of tensor: Tensor, _ graph: TensorGraph, named name: String, keepsSketch: Bool
  ) throws(CheckpointError) -> MeasuredElements? {
    guard StatisticsPlan.canMeasure(tensor.dtype), tensor.storage != nil else { return nil }
    let segments = tensor.segments(from: graph)
    try Tensor.requireFiniteWork(name, segments)
    return MeasuredElements(
      segments: segments, dtype: tensor.dtype, shape: tensor.shape, keepsSketch: keepsSketch)
  }

  // MARK: Results

  /// Reads everything and returns the statistics.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  consuming func run(
    _ progress: @escaping CopyEngine.Progress
  ) throws(CheckpointError) -> CheckpointStatistics {
    for (unit, result) in try units.measure(budget, progress) { enter(result, of: unit) }
    enterRelativeUpdates()
    return statistics
  }

  private mutating func enter(_ result: StatisticsResult, of unit: MeasurementUnit) {
    switch (unit.subject, result) {
    case (.tensor(let row), .elements(let numbers)):
      statistics.tensors[row].statistics = numbers
    case (.moments(let parameter, let first, let second, _), .moments(let numbers)):
      statistics.tensors[first].statistics = numbers.first
      statistics.tensors[second].statistics = numbers.second
      statistics.parameters[parameter].statistics = numbers.updates
    default: preconditionFailure("results come in the order of their units")
    }
  }

  private mutating func enterRelativeUpdates() {
    for index in statistics.parameters.indices {
      let parameter = statistics.parameters[index]
      guard let rate = parameter.settings.learningRate, let weight = weightRows[index] else {
        continue
      }
      let norm = statistics.tensors[weight].statistics.norm
      guard norm > 0 else { continue }
      statistics.parameters[index].relativeUpdate = rate * parameter.statistics.updateNorm / norm
    }
  }
}

extension CheckpointStatistics {
  /// Measures the checkpoint at `path`.
  ///
  /// - Parameters:
  ///   - path: a file, or a directory of OLMo's trainer or of `transformers`.
  ///   - options: what is measured.
  ///   - progress: is told the bytes done and to do, from any thread.
  /// - Throws: ``CheckpointError`` with the file in its path.
  public init(
    of path: String, _ options: StatisticsOptions = StatisticsOptions(),
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws(CheckpointError) {
    self = try CheckpointMeasurement(of: path, options).run(progress)
  }
}

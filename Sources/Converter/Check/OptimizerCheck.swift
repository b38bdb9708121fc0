internal import CkptBase
internal import CkptCheckpoints
internal import CkptGraph
internal import CkptModels

/// Checks that an optimizer state belongs to a model: one state for each parameter, in its shape.
struct OptimizerCheck {
  /// The findings.
  private(set) var findings: [Finding] = []
  /// The different step counts of the parameters, in ascending order.
  private(set) var steps: [Int] = []
  /// The number of parameters with a state.
  private(set) var parameterCount = 0

  private let graph: TensorGraph
  private let path: String
  /// The number of blocks in a group, according to the names.
  private var groupSize = 1

  /// The maximum number of parameters to name in a message.
  private static let namedParameters = 4

  private static let stepKey = "step"

  /// Compares the optimizer state in `graph` with the shapes of a model's tensors, if they are
  /// known.
  ///
  /// - Throws: `inputOutput` if the system fails.
  init(
    _ graph: TensorGraph, at path: String, model shapes: [ExactString: [Int]]?, optimizer: String?
  ) throws(CheckpointError) {
    self.graph = graph
    self.path = path
    if let mixUp = StateKind.mixUp(graph, in: path, expected: .optimizer) {
      findings.append(mixUp)
      return
    }
    let state: OptimizerState
    do throws(CheckpointError) {
      state = try OptimizerState(of: graph)
    } catch {
      findings.append(Finding(error, .optimizer, at: path))
      return
    }
    groupSize = state.groupSize
    checkGroups(state, shapes)
    parameterCount = state.parameters.count
    guard !state.parameters.isEmpty else {
      findings.append(
        Finding(.note, .optimizer, at: path, "no parameter has a state, as before step 1")
      )
      return
    }
    checkStates(state, shapes)
    checkFields(state, optimizer)
    checkDTypes(state)
    do throws(CheckpointError) {
      try readSteps(of: state)
    } catch {
      guard error.code.isOfTheInput else { throw error }
      findings.append(Finding(error, .optimizer, at: path))
    }
  }

  // MARK: Groups

  /// Returns the name of a parameter in the model of `shapes`.
  private func name(_ parameter: ParameterName) -> String {
    parameter.regrouped(from: groupSize, to: 1)
  }

  private mutating func checkGroups(_ state: OptimizerState, _ shapes: [ExactString: [Int]]?) {
    var seen: Set<ExactString> = []
    var repeated: [String] = []
    for name in state.groups.flatMap(\.names).map(name) where !seen.insert(name) {
      repeated.append(name)
    }
    report(repeated, "in the param groups twice")
    guard let shapes else { return }
    report(shapes.keys.filter { !seen.contains($0) }.sorted().map(\.text), "in no param group")
    report(
      seen.filter { shapes[$0] == nil }.sorted().map(\.text),
      "in a param group, but not in the model",
      remedy: "the optimizer state belongs to another model")
  }

  // MARK: States

  private mutating func checkStates(_ state: OptimizerState, _ shapes: [ExactString: [Int]]?) {
    let names = Set(names: state.parameters.map { name($0.name) })
    let grouped = state.groups.flatMap(\.names).map(name)
    report(grouped.filter { !names.contains($0) }, "without a state, although others have one")
    report(
      names.subtracting(Set(names: grouped)).sorted().map(\.text),
      "with a state, but in no param group")
    guard let shapes else { return }
    var misshapen: [String] = []
    for parameter in state.parameters {
      let name = name(parameter.name)
      guard let shape = shapes[name] else { continue }
      let wrong = parameter.values.compactMap { misfit($0.key, $0.value, shape) }
      guard !wrong.isEmpty else { continue }
      misshapen.append("\(name): \(wrong.joined(separator: ", ")), the weight has \(shape)")
    }
    report(
      misshapen, "with a state of another shape than the weight",
      remedy: "the optimizer state belongs to another model")
  }

  /// Describes a value that should be a tensor like the weight but is not; `nil` if it fits.
  private func misfit(_ key: NodeID, _ value: NodeID, _ shape: [Int]) -> String? {
    let field = graph.string(key) ?? graph.description(of: key, limit: 40)
    let isMoment = Self.moments.contains(field)
    guard case .tensor(let id) = graph[value] else {
      return isMoment ? "\(field) is \(graph.description(of: value, limit: 40))" : nil
    }
    // Other values, such as the number of steps, are single numbers.
    guard graph[id].shape != shape, isMoment || !graph[id].shape.isEmpty else { return nil }
    return "\(field) has \(graph[id].shape)"
  }

  /// The values that the optimizers of OLMo and PyTorch store for every element (`olmo/optim.py`,
  /// `torch/optim/adamw.py`, `torch/optim/sgd.py`).
  private static let moments: Set = [
    "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer",
  ]

  /// The values that each optimizer of OLMo stores for a parameter (`olmo/optim.py`).
  private static let fields = [
    "adamw": ["exp_avg", "exp_avg_sq", stepKey], "lionw": ["exp_avg"],
  ]

  private mutating func checkFields(_ state: OptimizerState, _ optimizer: String?) {
    var incomplete: [String] = []
    let all = state.parameters.map { parameter in
      Set(parameter.values.compactMap { graph.string($0.key) })
    }
    let common = optimizer.flatMap { Self.fields[$0] } ?? all.max { $0.count < $1.count }?.sorted()
    for (parameter, fields) in zip(state.parameters, all) {
      let missing = (common ?? []).filter { !fields.contains($0) }
      if !missing.isEmpty {
        incomplete.append("\(name(parameter.name)) without \(missing.joined(separator: ", "))")
      }
    }
    let whose = optimizer.map { "for \($0)" } ?? "compared with the others"
    report(incomplete, "with an incomplete state \(whose)")
    checkSurplus(all, optimizer)
  }

  /// Warns about moments that the optimizer does not use: they belong to another optimizer.
  private mutating func checkSurplus(_ found: [Set<String>], _ optimizer: String?) {
    guard let optimizer, let used = Self.fields[optimizer] else { return }
    let surplus = found.reduce(into: Set<String>()) { $0.formUnion($1) }
      .subtracting(used).intersection(Self.moments)
    guard !surplus.isEmpty else { return }
    findings.append(
      Finding(
        .warning, .optimizer, at: path,
        "the parameters have \(surplus.sorted().joined(separator: ", ")), which \(optimizer) does not "
          + "use",
        remedy: "the state belongs to another optimizer than 'optimizer.name'"))
  }

  /// Warns about mixed dtypes: trainers store all moments of a kind with one dtype.
  private mutating func checkDTypes(_ state: OptimizerState) {
    for moment in Self.moments.sorted() {
      var counts: [DType: Int] = [:]
      for (key, value) in state.parameters.flatMap(\.values) where graph.string(key) == moment {
        guard case .tensor(let id) = graph[value] else { continue }
        counts[graph[id].dtype, default: 0] += 1
      }
      guard let words = DTypeMixture.words(counts) else { continue }
      findings.append(
        Finding(
          .warning, .optimizer, at: path, "\(moment) has different dtypes: \(words)",
          remedy: DTypeMixture.remedy))
    }
  }

  // MARK: Steps

  private mutating func readSteps(of state: OptimizerState) throws(CheckpointError) {
    var steps: Set<Int> = []
    var uncounted: [String] = []
    var tensors: [(name: String, id: TensorID)] = []
    for parameter in state.parameters {
      for (key, value) in parameter.values where graph.string(key) == Self.stepKey {
        switch graph[value] {
        case .tensor(let id): tensors.append((name(parameter.name), id))
        case .int(let step): steps.insert(step)
        default:
          uncounted.append("\(name(parameter.name)): \(graph.description(of: value, limit: 40))")
        }
      }
    }
    let values = try ScalarValues.read(tensors.map(\.id), of: graph)
    for (tensor, value) in zip(tensors, values) {
      guard let value else { continue }
      if let step = Int(exactly: value) {
        steps.insert(step)
      } else {
        uncounted.append("\(tensor.name): \(value)")
      }
    }
    report(uncounted, "with a 'step' that is not a whole number")
    self.steps = steps.sorted()
  }

  // MARK: Findings

  private mutating func report(_ parameters: [String], _ what: String, remedy: Remedy? = nil) {
    guard !parameters.isEmpty else { return }
    let named = parameters.prefix(Self.namedParameters).joined(separator: "; ")
    let rest = parameters.count > Self.namedParameters ? "; ..." : ""
    findings.append(
      Finding(
        .problem, .optimizer, at: path,
        "\(parameters.count.pluralized("parameter")) \(what): \(named)\(rest)",
        remedy: remedy))
  }
}

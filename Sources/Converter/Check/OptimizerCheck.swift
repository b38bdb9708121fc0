internal import CkptBase
internal import CkptCheckpoints
internal import CkptCopy
internal import CkptGraph
internal import CkptModels
internal import CkptPlan

/// Whether an optimizer's state belongs to a model: a state for each parameter, in its shape.
struct OptimizerCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  /// The different numbers of steps that the parameters have been through, in ascending order.
  private(set) var steps: [Int] = []
  /// How many parameters have a state.
  private(set) var parameterCount = 0

  private let graph: TensorGraph
  private let path: String
  /// How many blocks a group has in the names.
  private var groupSize = 1

  /// How many parameters a message names.
  private static let namedParameters = 4

  private static let stepKey = "step"

  /// Compares the optimizer's state that `graph` is with the shapes of a model's tensors, where
  /// these are known.
  ///
  /// - Throws: `inputOutput` when the system fails.
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
        Finding(.note, .optimizer, at: path, "there is no state of any parameter, as before step 1")
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

  /// The name that the model of `shapes` knows a parameter by.
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
      "in the param groups, but not in the model",
      remedy: "the optimizer is of another model")
  }

  // MARK: States

  private mutating func checkStates(_ state: OptimizerState, _ shapes: [ExactString: [Int]]?) {
    let names = Set(names: state.parameters.map { name($0.name) })
    let grouped = state.groups.flatMap(\.names).map(name)
    report(grouped.filter { !names.contains($0) }, "without a state, which others have")
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
      misshapen.append("\(name): \(wrong.joined(separator: ", ")), the weight is \(shape)")
    }
    report(
      misshapen, "with a state in another shape than the weight",
      remedy: "the optimizer is of another model")
  }

  /// What a value is, if it should be a tensor like the weight.
  private func misfit(_ key: NodeID, _ value: NodeID, _ shape: [Int]) -> String? {
    let field = graph.string(key) ?? graph.description(of: key, limit: 40)
    let isMoment = Self.moments.contains(field)
    guard case .tensor(let id) = graph[value] else {
      return isMoment ? "\(field) is \(graph.description(of: value, limit: 40))" : nil
    }
    // Others, such as the number of steps, are one number each.
    guard graph[id].shape != shape, isMoment || !graph[id].shape.isEmpty else { return nil }
    return "\(field) is \(graph[id].shape)"
  }

  /// What the optimizers of OLMo and of PyTorch keep of every element (`olmo/optim.py`,
  /// `torch/optim/adamw.py`, `torch/optim/sgd.py`).
  private static let moments: Set = [
    "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer",
  ]

  /// What each optimizer of OLMo keeps of a parameter (`olmo/optim.py`).
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
    let whose = optimizer.map { "for \($0)" } ?? "compared with others"
    report(incomplete, "with a state that is incomplete \(whose)")
    checkSurplus(all, optimizer)
  }

  /// Moments that the optimizer has no use for are those of another one.
  private mutating func checkSurplus(_ found: [Set<String>], _ optimizer: String?) {
    guard let optimizer, let used = Self.fields[optimizer] else { return }
    let surplus = found.reduce(into: Set<String>()) { $0.formUnion($1) }
      .subtracting(used).intersection(Self.moments)
    guard !surplus.isEmpty else { return }
    findings.append(
      Finding(
        .warning, .optimizer, at: path,
        "the parameters have \(surplus.sorted().joined(separator: ", ")), which \(optimizer) does not "
          + "keep",
        remedy: "it is the state of another optimizer than 'optimizer.name' says"))
  }

  /// Trainers keep all moments of a kind with one type.
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
          .warning, .optimizer, at: path, "\(moment) has different types: \(words)",
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
    report(uncounted, "with a 'step' that is no number of steps")
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

/// Reads the numbers that tensors of one element hold, such as an optimizer's count of steps.
enum ScalarValues {
  /// The values of `tensors`, each `nil` where it is not one number of a common type.
  ///
  /// - Throws: what ``CopyEngine/run(_:into:)`` throws.
  static func read(_ tensors: [TensorID], of graph: TensorGraph) throws(CheckpointError)
    -> [Double?]
  {
    var plan = FilePlan()
    let places = tensors.map { id -> Int? in
      let segments = graph[id].segments(from: graph)
      guard graph[id].elementCount == 1, isCommon(graph[id].dtype), !segments.isEmpty else {
        return nil
      }
      defer { for segment in segments { plan.append(segment) } }
      return plan.byteCount
    }
    let file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
    let bytes = try file.bytes(in: 0..<plan.byteCount)
    var values: [Double?] = []
    for (id, place) in zip(tensors, places) {
      values.append(
        try place.map { place throws(CheckpointError) in
          try value(graph[id].dtype, bytes, at: place)
        })
    }
    return values
  }

  private static func isCommon(_ dtype: DType) -> Bool {
    switch dtype {
    case .float32, .float64, .int32, .int64: true
    default: false
    }
  }

  private static func value(
    _ dtype: DType, _ bytes: [UInt8], at place: Int
  ) throws(CheckpointError) -> Double {
    var reader = ByteReader(bytes.span)
    try reader.skip(place)
    return switch dtype {
    case .float32: Double(Float(bitPattern: try reader.readInteger(as: UInt32.self)))
    case .float64: Double(bitPattern: try reader.readInteger(as: UInt64.self))
    case .int32: Double(try reader.readInteger(as: Int32.self))
    default: Double(try reader.readInteger(as: Int64.self))
    }
  }
}

internal import Architectures
internal import Bytes
internal import Graph

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

  /// How many parameters a message names.
  private static let namedParameters = 4

  private static let stepKey = "step"

  /// Compares the optimizer's state that `graph` is with the shapes of a model's tensors, where
  /// these are known.
  ///
  /// - Throws: `inputOutput` when the system fails.
  init(
    _ graph: TensorGraph, at path: String, model shapes: [String: [Int]]?, optimizer: String?
  ) throws(FormatError) {
    self.graph = graph
    self.path = path
    let state: OptimizerState
    do throws(FormatError) {
      state = try OptimizerState(of: graph)
    } catch {
      findings.append(Finding(error, .optimizer, at: path))
      return
    }
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
    do throws(FormatError) {
      steps = try readSteps(of: state)
    } catch {
      guard error.code != .inputOutput else { throw error }
      findings.append(Finding(error, .optimizer, at: path))
    }
  }

  // MARK: Groups

  private mutating func checkGroups(_ state: OptimizerState, _ shapes: [String: [Int]]?) {
    var seen: Set<String> = []
    var repeated: [String] = []
    for name in state.groups.flatMap(\.names) where !seen.insert(name.clean).inserted {
      repeated.append(name.clean)
    }
    report(repeated, "in the param groups twice")
    guard let shapes else { return }
    report(shapes.keys.sorted().filter { !seen.contains($0) }, "in no param group")
    report(
      seen.sorted().filter { shapes[$0] == nil }, "in the param groups, but not in the model",
      remedy: "the optimizer is of another model")
  }

  // MARK: States

  private mutating func checkStates(_ state: OptimizerState, _ shapes: [String: [Int]]?) {
    let names = Set(state.parameters.map(\.name.clean))
    let grouped = state.groups.flatMap(\.names).map(\.clean)
    report(grouped.filter { !names.contains($0) }, "without a state, which others have")
    report(names.subtracting(grouped).sorted(), "with a state, but in no param group")
    guard let shapes else { return }
    var misshapen: [String] = []
    for parameter in state.parameters {
      guard let shape = shapes[parameter.name.clean] else { continue }
      for (key, value) in parameter.values {
        guard case .tensor(let id) = graph[value], graph[id].shape != shape,
          !graph[id].shape.isEmpty
        else { continue }
        let field = graph.string(key) ?? "?"
        misshapen.append(
          "\(parameter.name.clean): \(field) is \(graph[id].shape), the weight is \(shape)")
      }
    }
    report(
      misshapen, "in another shape than the weight", remedy: "the optimizer is of another model")
  }

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
        incomplete.append("\(parameter.name.clean) without \(missing.joined(separator: ", "))")
      }
    }
    let whose = optimizer.map { "for \($0)" } ?? "compared with others"
    report(incomplete, "with a state that is incomplete \(whose)")
  }

  // MARK: Steps

  private func readSteps(of state: OptimizerState) throws(FormatError) -> [Int] {
    var steps: Set<Int> = []
    var tensors: [TensorID] = []
    for value in state.parameters.flatMap(\.values) where graph.string(value.key) == Self.stepKey {
      switch graph[value.value] {
      case .tensor(let id): tensors.append(id)
      case .int(let step): steps.insert(step)
      default: continue
      }
    }
    for value in try ScalarValues.read(tensors, of: graph) {
      if let step = value.flatMap({ Int(exactly: $0) }) { steps.insert(step) }
    }
    return steps.sorted()
  }

  // MARK: Findings

  private mutating func report(_ parameters: [String], _ what: String, remedy: String? = nil) {
    guard !parameters.isEmpty else { return }
    let named = parameters.prefix(Self.namedParameters).joined(separator: "; ")
    let rest = parameters.count > Self.namedParameters ? "; ..." : ""
    let noun = parameters.count == 1 ? "parameter" : "parameters"
    findings.append(
      Finding(
        .problem, .optimizer, at: path, "\(parameters.count) \(noun) \(what): \(named)\(rest)",
        remedy: remedy))
  }
}

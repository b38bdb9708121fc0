internal import Architectures
internal import Bytes
internal import Graph

/// Whether the tensors of a model are those that its configuration calls for.
struct ModelCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  private let path: String

  /// How many tensors are told of one by one.
  private static let toldTensors = 5

  /// Compares names and shapes.
  init(
    _ tensors: NamedTensors, of graph: TensorGraph, at path: String, by map: TensorMap,
    on side: Coverage.Side
  ) {
    self.path = path
    let coverage = Coverage(of: tensors.shapes(in: graph), by: map, on: side)
    for fault in coverage.faults.prefix(Self.toldTensors) {
      findings.append(Finding(.problem, .tensors, at: path, coverage.description(of: fault)))
    }
    let rest = coverage.faults.count - findings.count
    if rest > 0 {
      findings.append(
        Finding(.problem, .tensors, at: path, "\(rest) more tensors do not fit the configuration"))
    }
    checkDTypes(tensors, of: graph)
  }

  /// Trainers save all parameters with one type; mixtures come from careless casts.
  private mutating func checkDTypes(_ tensors: NamedTensors, of graph: TensorGraph) {
    var counts: [DType: Int] = [:]
    for entry in tensors.entries { counts[graph[entry.id].dtype, default: 0] += 1 }
    guard counts.count > 1 else { return }
    let words = counts.sorted { ($1.value, $0.key.name) < ($0.value, $1.key.name) }
      .map { "\($0.value) of \($0.key.name)" }
    findings.append(
      Finding(
        .warning, .tensors, at: path,
        "the tensors have different types: " + words.joined(separator: ", "),
        remedy: "some were cast, or come from another file"))
  }
}

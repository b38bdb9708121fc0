internal import Bytes
internal import Graph
internal import Plan
internal import Safetensors
internal import Comparison

/// Two checkpoints side by side, bit for bit.
struct CheckpointComparison {
  /// How much could be compared.
  let scope: GraphComparison.Scope
  /// The first differences.
  private(set) var differences: DifferenceList
  /// What was not compared, in words.
  let notCompared: [String]
  /// The size of the tensors whose bytes were compared.
  let byteCount: Int

  /// Compares names, values, types and tensors' bytes, as far as both files tell them.
  ///
  /// - Throws: `checksumMismatch` when one is damaged, and what reading them throws.
  init(
    _ first: Checkpoint, _ second: Checkpoint, limit: Int = DifferenceList.defaultLimit,
    budget: CopyBudget, progress: @escaping CopyEngine.Progress
  ) throws(FormatError) {
    let graphs = try GraphComparison(first.side, second.side, limit: limit)
    scope = graphs.scope
    notCompared = graphs.notCompared
    differences = graphs.differences
    byteCount = graphs.tensorPairs.reduce(0) { $0 + first.graph[$1.first].byteCount }
    var data = TensorDataComparison(
      first, second, pairs: graphs.tensorPairs, budget: budget)
    let findings = try data.run(progress)
    let shown = findings.prefix(max(0, limit - differences.count))
    let elements = try Self.elements(shown, first, second, graphs.tensorPairs)
    for (finding, texts) in zip(shown, elements) {
      let others = finding.byteCount > 1 ? "; \(finding.byteCount) bytes differ" : ""
      differences.add(
        Difference(
          .bytes, at: graphs.tensorPairs[finding.pair].name,
          first: (finding.indices.isEmpty ? "" : "element \(finding.indices) is ") + texts.first,
          second: texts.second + others))
    }
    for _ in findings.dropFirst(shown.count) { differences.addUndescribed() }
  }

  /// The first elements that differ, as text.
  private static func elements(
    _ findings: ArraySlice<TensorDataComparison.Finding>, _ first: Checkpoint, _ second: Checkpoint,
    _ pairs: [TensorPair]
  ) throws(FormatError) -> [(first: String, second: String)] {
    guard !findings.isEmpty else { return [] }
    var plan = FilePlan()
    var texts: [(first: String, second: String)] = []
    var ranges: [(Range<Int>, Range<Int>)] = []
    for finding in findings {
      let pair = pairs[finding.pair]
      ranges.append(
        (
          plan.append(first.graph[pair.first].element(finding.indices), of: first.graph),
          plan.append(second.graph[pair.second].element(finding.indices), of: second.graph)
        ))
    }
    let file = try TemporaryOutput.holding(plan, budget: CopyBudget(threads: 1))
    for (finding, range) in zip(findings, ranges) {
      let dtype = first.graph[pairs[finding.pair].first].dtype
      texts.append(
        (
          ElementText.text(try file.bytes(in: range.0), dtype),
          ElementText.text(try file.bytes(in: range.1), dtype)
        ))
    }
    return texts
  }
}

extension FilePlan {
  /// Adds the bytes of an element, without a look at checksums, and returns their place; it is
  /// empty for an element of a storage that no file has in one piece.
  fileprivate mutating func append(_ tensor: Tensor, of graph: TensorGraph) -> Range<Int> {
    let start = byteCount
    guard tensor.packed != nil || tensor.storage.flatMap({ graph[$0].region }) != nil else {
      return start..<start
    }
    for segment in tensor.segments(from: graph) { append(segment.unchecked) }
    return start..<byteCount
  }
}

extension Checkpoint {
  /// The contents as one side of a comparison.
  var side: GraphComparison.Side {
    switch source.container {
    case .torch: .init(graph, .objects)
    case .safetensors(let file):
      .init(graph, file.hasSkeleton ? .objects : .names(metadata: file.metadata))
    case .shards(let files): .init(graph, .names(metadata: files.metadata))
    }
  }
}

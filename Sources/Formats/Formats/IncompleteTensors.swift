internal import CkptBase
internal import CkptContainer
internal import CkptGraph
internal import CkptSafetensors

extension Checkpoint {
  /// Warns of tensors whose data the file does not have: those of the meta device, and shards of
  /// larger ones.
  ///
  /// - Throws: `limitExceeded` when shared containers multiply beyond ``Limits``.
  mutating func noteIncompleteTensors() throws(CheckpointError) {
    let isComplete = graph.tensors.allSatisfy { $0.storage != nil && $0.wholeShape == nil }
    guard !isComplete else { return }
    var dataless: [String] = []
    var shards: [String] = []
    for leaf in try NamedLeaf.all(of: graph) {
      guard case .tensor(let id) = graph[leaf.node] else { continue }
      let tensor = graph[id]
      if tensor.storage == nil { dataless.append("'\(leaf.name)'") }
      if let whole = tensor.wholeShape {
        shards.append("'\(leaf.name)' has \(tensor.shape) of \(whole)")
      }
    }
    if !dataless.isEmpty {
      let subject = dataless.count == 1 ? "1 tensor has" : "\(dataless.count) tensors have"
      warnings.append("\(subject) no data (meta device): \(Self.listed(dataless))")
    }
    if !shards.isEmpty {
      let subject =
        shards.count == 1
        ? "1 tensor is a shard of a larger one"
        : "\(shards.count) tensors are shards of larger ones"
      warnings.append("\(subject), and other files have the rest: \(Self.listed(shards))")
    }
  }

  /// The number of names that a warning lists; the rest are counted.
  private static let listedNames = 20

  private static func listed(_ names: [String]) -> String {
    let more = names.count - listedNames
    return names.prefix(listedNames).joined(separator: ", ")
      + (more > 0 ? ", and \(more) more" : "")
  }
}

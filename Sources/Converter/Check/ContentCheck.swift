internal import CkptBase
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors

/// Reads the data of a checkpoint to see whether it is undamaged, and on request whether all numbers
/// are finite.
///
/// Each byte is read once: checksums are compared by the copy engine on the way.
struct ContentCheck {
  /// What was found.
  private(set) var findings: [Finding] = []
  /// How many bytes have been compared with a checksum.
  private(set) var checkedByteCount = 0
  /// How many tensors have been searched for numbers that are not finite.
  private(set) var searchedTensorCount = 0

  private let checkpoint: Checkpoint
  private let path: String
  private let options: CheckOptions

  /// How many tensors, and damaged records, are named.
  private static let namedTensors = 5

  init(_ checkpoint: Checkpoint, at path: String, _ options: CheckOptions) {
    self.checkpoint = checkpoint
    self.path = path
    self.options = options
  }

  /// Reads everything that there is something to learn from.
  ///
  /// - Throws: `inputOutput` when the system fails; damage is a finding.
  mutating func run(_ progress: @escaping CopyEngine.Progress) throws(CheckpointError) {
    var plan = FilePlan()
    let regions = checkpoint.dataRegions.filter { $0.crc32 != nil }
    for region in regions {
      plan.inspect(region)
      checkedByteCount += region.byteCount
    }
    let searched = options.searchesValues ? try search(&plan) : []
    let counts = NonFiniteCountingOutput(of: searched.map { ($0.dtype, $0.byteCount) })
    do throws(CheckpointError) {
      let engine = CopyEngine(options.budget, progress: progress)
      // Values are searched in their order; checksums alone are computed by several threads.
      if searched.isEmpty {
        try engine.run(plan, into: DiscardingOutput())
      } else {
        try engine.run(plan, into: counts)
      }
    } catch {
      guard error.code.isOfTheInput else { throw error }
      searchedTensorCount = 0
      return try reportDamage(of: regions, foundFirst: error)
    }
    report(counts.results, of: searched)
  }

  /// Reads each record for itself, since a run ends at the first that is damaged.
  private mutating func reportDamage(
    of regions: [FileRegion], foundFirst error: CheckpointError
  ) throws(CheckpointError) {
    var damage: [CheckpointError] = []
    for region in regions {
      var plan = FilePlan()
      plan.inspect(region)
      do throws(CheckpointError) {
        try CopyEngine(options.budget).run(plan, into: DiscardingOutput())
      } catch {
        guard error.code.isOfTheInput else { throw error }
        damage.append(error)
      }
    }
    if damage.isEmpty { damage = [error] }
    findings += damage.prefix(Self.namedTensors).map { Finding($0, .content, at: path) }
    let rest = damage.count - Self.namedTensors
    guard rest > 0 else { return }
    findings.append(
      Finding(
        .problem, .content, at: path, "damaged records beside these: \(rest)",
        remedy: "fetch or save the file again"))
  }

  private mutating func search(
    _ plan: inout FilePlan
  ) throws(CheckpointError) -> [(name: String, dtype: DType, byteCount: Int)] {
    let graph = checkpoint.graph
    var seen: Set<TensorBytes> = []
    var searched: [(name: String, dtype: DType, byteCount: Int)] = []
    for leaf in try NamedLeaf.all(of: graph) {
      guard case .tensor(let id) = graph[leaf.node],
        NonFiniteCountingOutput.canSearch(graph[id].dtype),
        let bytes = TensorBytes(graph[id], of: graph), seen.insert(bytes).inserted
      else { continue }
      for segment in bytes.segments { plan.append(segment) }
      searched.append((leaf.name, graph[id].dtype, graph[id].byteCount))
    }
    searchedTensorCount = searched.count
    return searched
  }

  private mutating func report(
    _ results: [NonFiniteCountingOutput.Result],
    of searched: [(name: String, dtype: DType, byteCount: Int)]
  ) {
    let found = zip(searched, results).filter { $1.nanCount + $1.infinityCount > 0 }
    guard !found.isEmpty else { return }
    let named = found.prefix(Self.namedTensors).map { tensor, result in
      "'\(tensor.name)' has " + Self.words(result)
    }
    let rest = found.count > named.count ? ", and \(found.count - named.count) more tensors" : ""
    findings.append(
      Finding(
        .problem, .values, at: path, named.joined(separator: ", ") + rest,
        remedy: "go back to an earlier step"))
  }

  private static func words(_ result: NonFiniteCountingOutput.Result) -> String {
    var words: [String] = []
    if result.nanCount > 0 { words.append("\(result.nanCount) NaN") }
    if result.infinityCount > 0 { words.append("\(result.infinityCount) infinite") }
    return words.joined(separator: " and ")
  }
}

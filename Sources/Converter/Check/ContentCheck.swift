internal import CkptBase
internal import CkptCheckpoints
internal import CkptCompare
internal import CkptCopy
internal import CkptFormats
internal import CkptGraph
internal import CkptPlan
internal import CkptSafetensors

/// Reads the data of a checkpoint and compares it with its checksums.
///
/// On request it also searches for values that are not finite.
///
/// Each byte is read once: the copy engine compares checksums while it reads.
struct ContentCheck {
  /// The findings.
  private(set) var findings: [Finding] = []
  /// The number of bytes that were compared with a checksum.
  private(set) var checkedByteCount = 0
  /// The number of tensors that were searched for values that are not finite.
  private(set) var searchedTensorCount = 0

  private let checkpoint: Checkpoint
  private let path: String
  private let options: CheckOptions

  /// The maximum number of tensors, and of damaged records, to name.
  private static let namedTensors = 5

  init(_ checkpoint: Checkpoint, at path: String, _ options: CheckOptions) {
    self.checkpoint = checkpoint
    self.path = path
    self.options = options
  }

  /// Reads all data with a checksum, and all tensors to search.
  ///
  /// - Throws: `inputOutput` if the system fails. Damage is a finding.
  mutating func run(_ progress: @escaping CopyEngine.Progress) throws(CheckpointError) {
    var plan = FilePlan()
    let regions = checkpoint.dataRegions.filter { $0.crc32 != nil }
    for region in regions {
      plan.inspect(region)
      checkedByteCount += region.byteCount
    }
    let searched = options.searchesValues ? try search(&plan) : []
    let squares = searched.indices.filter { Self.isMeanOfSquares(searched[$0].name) }
    let counts = NonFiniteCountingOutput(
      of: searched.map { ($0.dtype, $0.byteCount) }, negativesIn: Set(squares))
    do throws(CheckpointError) {
      let engine = CopyEngine(options.budget, progress: progress)
      // A search reads tensors in order. Checksums alone are computed on several threads.
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
    reportNegatives(counts.results, of: searched)
  }

  /// Whether a tensor is a mean of squares of gradients, which Adam takes the root of.
  private static func isMeanOfSquares(_ name: String) -> Bool {
    name.hasSuffix("exp_avg_sq")
  }

  private mutating func reportNegatives(
    _ results: [NonFiniteCountingOutput.Result],
    of searched: [(name: String, dtype: DType, byteCount: Int)]
  ) {
    let found = zip(searched, results).filter { $1.negativeCount > 0 }
    guard !found.isEmpty else { return }
    let named = found.prefix(Self.namedTensors).map { tensor, result in
      "'\(tensor.name)' has \(result.negativeCount.pluralized("negative number"))"
    }
    let rest = found.count > named.count ? ", and \(found.count - named.count) more tensors" : ""
    findings.append(
      Finding(
        .warning, .values, at: path,
        named.joined(separator: ", ") + rest + "; a mean of squares has none",
        remedy: "go back to an earlier step"))
  }

  /// Reads each record separately, because a run ends at the first damaged one.
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
        .problem, .content, at: path, "\(rest) more damaged records",
        remedy: "download or save the file again"))
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
        remedy: "use an earlier step"))
  }

  private static func words(_ result: NonFiniteCountingOutput.Result) -> String {
    var words: [String] = []
    if result.nanCount > 0 { words.append("\(result.nanCount) NaN") }
    if result.infinityCount > 0 { words.append("\(result.infinityCount) infinite values") }
    return words.joined(separator: " and ")
  }
}

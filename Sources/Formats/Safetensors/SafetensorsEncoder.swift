package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptPlan
public import CkptSkeleton

/// Turns a checkpoint into the plan of a safetensors file.
///
/// Decides which entry holds which tensor's bytes, and writes header and skeleton; no tensor's bytes
/// are read. An encoder has made its decisions once it exists.
package struct SafetensorsEncoder: Sendable {
  let graph: TensorGraph
  private let container: (any ContainerDescription)?
  let unusedRegions: [FileRegion]
  private let layout: Layout
  /// The metadata that does not come from the graph.
  private let ownMetadata: [(key: String, value: String)]?
  /// The tensors under all of their names.
  let placed: [(name: String, id: TensorID)]
  private let stored: TensorDeduplication
  private let notes: EncodingNotes

  /// What the file holds.
  var entries: [SafetensorsEntry] { stored.entries }
  /// The names that share the bytes of another, sorted.
  var aliases: [(name: String, kept: String)] { stored.aliases }
  /// What the user should know.
  var warnings: [String] { notes.warnings }

  /// The plan of the file for `checkpoint`.
  ///
  /// - Throws: `lossy` for what has no place in the file unless loss is allowed; `limitExceeded` for
  ///   a header beyond what readers accept.
  package static func encode(
    _ checkpoint: Checkpoint, options: SafetensorsOptions
  ) throws(CheckpointError) -> EncodedFile {
    let encoder = try SafetensorsEncoder(checkpoint, options: options)
    return try encoder.encode()
  }

  /// Decides what a file for `checkpoint` holds.
  ///
  /// - Throws: `lossy` for what has no place in the file unless loss is allowed.
  init(_ checkpoint: Checkpoint, options: SafetensorsOptions) throws(CheckpointError) {
    graph = checkpoint.graph
    container = checkpoint.container
    unusedRegions = checkpoint.unusedRegions
    layout = options.layout
    var includesSkeleton = options.includesSkeleton
    if let metadata = options.metadata {
      ownMetadata = metadata.isEmpty ? nil : metadata
    } else {
      ownMetadata = try MetadataRecord.metadata(of: container)
      // Such a file had no skeleton, and needs none to become the same again.
      if ownMetadata != nil { includesSkeleton = false }
    }
    // Where metadata alone tells of a tied name, it must have a key of that name to give.
    let metadataKeys =
      includesSkeleton ? [] : Set((ownMetadata ?? []).map { ExactString($0.key) })
    let leaves = try EntryAssignment(
      of: graph, layout: layout, notes: EncodingNotes(hasSkeleton: includesSkeleton))
    placed = leaves.tensors
    var notes = leaves.notes
    stored = try TensorDeduplication(
      leaves, of: graph, tied: options.tied ?? (layout == .olmo ? .copy : .alias),
      metadataKeys: metadataKeys, &notes)
    notes.note(renamed: leaves.renamed)
    if includesSkeleton {
      for text in UnreachedBytes.warnings(of: graph, unusedRegions: unusedRegions) {
        notes.warn(text)
      }
    }
    try notes.settleLosses(allowed: options.allowsLoss)
    self.notes = notes
  }

  private func encode() throws(CheckpointError) -> EncodedFile {
    var plan = try plan(of: entries, aliases: aliases)
    for region in graph.storages.compactMap(\.region) { plan.inspect(region) }
    for region in unusedRegions { plan.inspect(region) }
    return EncodedFile(
      plan: plan, tensorCount: placed.count, aliasCount: aliases.count, warnings: warnings)
  }

  /// The plan of a file with these entries and names for them.
  func plan(
    of entries: [SafetensorsEntry], aliases: [(name: String, kept: String)]
  ) throws(CheckpointError) -> FilePlan {
    let entries = entries.sorted(by: SafetensorsEntry.precedes)
    var plan = FilePlan()
    for piece in try SafetensorsHeader.encode(entries, metadata: metadata(aliases)) {
      plan.append(.literal(piece))
    }
    for segment in entries.lazy.flatMap(\.data) { plan.append(segment) }
    return plan
  }

  private func metadata(
    _ aliases: [(name: String, kept: String)]
  ) -> [(key: String, value: [UInt8])]? {
    let own = ownMetadata ?? []
    var metadata = own.map { (key: $0.key, value: Array($0.value.utf8)) }
    if notes.hasSkeleton {
      if !own.contains(where: { $0.key == "format" }) {
        metadata.append(("format", Array("pt".utf8)))
      }
      metadata.append(
        (
          SkeletonWriter.metadataKey,
          SkeletonWriter.write(
            graph, from: container, layout: layout, placements: stored.placements)
        ))
    }
    // Names differ among themselves, so only these keys can be taken.
    let taken = Set(metadata.map { ExactString($0.key) })
    for (name, kept) in aliases where !taken.contains(ExactString(name)) {
      metadata.append((name, Array(kept.utf8)))
    }
    return ownMetadata == nil && metadata.isEmpty ? nil : metadata
  }
}

/// Choices of the caller about how a safetensors file is written.
public struct SafetensorsOptions: Sendable {
  /// What becomes of tensors that show the same bytes.
  @nonexhaustive
  public enum TiedTensors: String, Sendable, CaseIterable {
    /// The bytes are stored once; `__metadata__` maps the other names to the one that has them.
    case alias
    /// Every name has its bytes.
    case copy
  }

  /// How tensors are named.
  public var layout: Layout
  /// Whether what is not tensors goes along in the skeleton.
  public var includesSkeleton: Bool
  /// What becomes of tied tensors; `nil` for what the layout's readers need.
  public var tied: TiedTensors?
  /// Whether what has no place in the file becomes a warning instead of an error.
  public var allowsLoss: Bool
  /// The metadata beside what the skeleton and tied tensors need; `nil` for that of the
  /// safetensors file that the checkpoint was made from.
  public var metadata: [(key: String, value: String)]?

  /// Makes options.
  public init(
    layout: Layout = .plain, includesSkeleton: Bool = true, tied: TiedTensors? = nil,
    allowsLoss: Bool = false, metadata: [(key: String, value: String)]? = nil
  ) {
    self.layout = layout
    self.includesSkeleton = includesSkeleton
    self.tied = tied
    self.allowsLoss = allowsLoss
    self.metadata = metadata
  }
}

/// What the user should know of a file that is planned, and what the file has no place for.
struct EncodingNotes {
  /// Whether a skeleton goes along, which has a place for everything.
  let hasSkeleton: Bool
  private(set) var warnings: [String] = []
  private var losses: [String] = []

  init(hasSkeleton: Bool) { self.hasSkeleton = hasSkeleton }

  mutating func warn(_ text: String) { warnings.append(text) }

  /// Notes something that only a skeleton has a place for.
  mutating func lose(_ text: @autoclosure () -> String) {
    if !hasSkeleton { losses.append(text()) }
  }

  /// Notes something that readers who do not look at a skeleton will miss.
  mutating func hide(_ text: String) {
    if hasSkeleton { warnings.append(text) } else { losses.append(text) }
  }

  /// Notes the values whose names were taken.
  mutating func note(renamed names: [String]) {
    guard let first = names.first else { return }
    let others = names.count > 1 ? ", and \(names.count - 1) more share theirs" : ""
    let message = "two values are named '\(first)'\(others)"
    hide(hasSkeleton ? "\(message); the later ones got a number" : message)
  }

  /// Makes warnings of the losses where they are allowed.
  ///
  /// - Throws: `lossy` where they are not.
  mutating func settleLosses(allowed: Bool) throws(CheckpointError) {
    guard let first = losses.first else { return }
    guard allowed else {
      let others = losses.count > 1 ? " (and \(losses.count - 1) more)" : ""
      throw CheckpointError(
        .lossy, "\(first)\(others): a safetensors file without skeleton has no place for it",
        remedy: .action(.allowLoss))
    }
    warnings += losses.map { "lost: \($0)" }
    losses = []
  }
}

/// The bytes of a checkpoint that a file of its tensors leaves behind: those of storages that no
/// tensor reaches, and records that the pickle does not use.
enum UnreachedBytes {
  /// How many storages are named; the rest are counted.
  private static let namedStorages = 20

  /// What to tell of them.
  static func warnings(of graph: TensorGraph, unusedRegions: [FileRegion]) -> [String] {
    var coverage = StorageCoverage()
    let thrownAway = thrownAwayTensors(of: graph)
    for (index, tensor) in graph.tensors.enumerated() where !thrownAway.contains(index) {
      coverage.add(tensor)
    }
    // A storage that tensors had before they were cast is nobody's now.
    let used = Set(graph.tensors.compactMap(\.storage))
    var warnings: [String] = []
    var count = 0
    for (index, storage) in graph.storages.enumerated() {
      let id = StorageID(index: index)
      guard used.contains(id) else { continue }
      let missed = coverage.missedByteCount(of: id, byteCount: storage.byteCount)
      guard missed > 0 else { continue }
      count += 1
      guard count <= namedStorages else { continue }
      warnings.append(
        "\(missed) of the \(storage.byteCount) bytes of storage '\(storage.key)' belong to no "
          + "tensor and stay behind")
    }
    if count > namedStorages {
      warnings.append("so do bytes of \(count - namedStorages) more storages")
    }
    let unused = unusedRegions.filter { $0.byteCount > 0 }
    if let first = unused.first {
      let others = unused.count > 1 ? ", and \(unused.count - 1) more like it" : ""
      warnings.append("'\(first.name)' is not used by the pickle and stays behind\(others)")
    }
    return warnings
  }

  /// The tensors, by number, that the pickle makes and throws away; their bytes go nowhere.
  private static func thrownAwayTensors(of graph: TensorGraph) -> Set<Int> {
    guard !graph.discarded.isEmpty else { return [] }
    let made = graph.reachable(from: graph.discarded).compactMap { id -> Int? in
      guard case .tensor(let tensor) = graph[id] else { return nil }
      return graph.index(of: tensor)
    }
    return Set(made).subtracting(graph.reachableTensors().map { graph.index(of: $0) })
  }
}

package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptPlan
public import CkptSkeleton

/// Plans a safetensors file for a checkpoint.
///
/// It assigns tensor bytes to entries and writes the header and the skeleton. No tensor bytes are
/// read. The initializer makes all decisions.
package struct SafetensorsEncoder: Sendable {
  let graph: TensorGraph
  private let container: (any ContainerDescription)?
  let unusedRegions: [FileRegion]
  private let layout: Layout
  /// The metadata that does not come from the graph.
  private let ownMetadata: [(key: String, value: String)]?
  /// The tensors, under all of their names.
  let placed: [EntryAssignment.NamedTensor]
  private let stored: TensorDeduplication
  private let notes: EncodingNotes

  /// The entries of the file.
  var entries: [SafetensorsEntry] { stored.entries }
  /// The names that share the bytes of another one, sorted.
  var aliases: [(name: String, kept: String)] { stored.aliases }
  /// Warnings for the user.
  var warnings: [String] { notes.warnings }

  /// Returns the plan of the file for `checkpoint`.
  ///
  /// - Throws: `lossy` for contents that the file cannot hold, unless loss is allowed;
  ///   `limitExceeded` for a header beyond what readers accept.
  package static func encode(
    _ checkpoint: Checkpoint, options: SafetensorsOptions
  ) throws(CheckpointError) -> EncodedFile {
    let encoder = try SafetensorsEncoder(checkpoint, options: options)
    return try encoder.encode()
  }

  /// Decides the contents of a file for `checkpoint`.
  ///
  /// - Throws: `lossy` for contents that the file cannot hold, unless loss is allowed.
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
      // Such a file had no skeleton and needs none to be restored.
      if ownMetadata != nil { includesSkeleton = false }
    }
    let leaves = try EntryAssignment(
      of: graph, layout: layout, notes: EncodingNotes(hasSkeleton: includesSkeleton))
    placed = leaves.tensors
    var notes = leaves.notes
    stored = try TensorDeduplication(
      leaves, of: graph, tied: options.tied ?? (layout == .olmo ? .copy : .alias),
      metadata: includesSkeleton ? [] : ownMetadata ?? [], &notes)
    notes.note(renamed: leaves.renamed)
    if includesSkeleton {
      for text in UnreachedBytes.warnings(of: graph) { notes.warn(text) }
    }
    if let text = UnreachedBytes.warning(ofUnused: unusedRegions) { notes.warn(text) }
    try notes.settleLosses(allowed: options.allowsLoss)
    self.notes = notes
  }

  private func encode() throws(CheckpointError) -> EncodedFile {
    var plan = try plan(of: entries, aliases: aliases)
    for region in storagesWithoutSegments() { plan.inspect(region) }
    for region in unusedRegions { plan.inspect(region) }
    return EncodedFile(
      plan: plan, tensorCount: placed.count - stored.leftOutCount, aliasCount: aliases.count,
      warnings: warnings)
  }

  /// Returns the regions of the storages that no tensor takes bytes from.
  ///
  /// The checksums of the others are checked because segments refer to them.
  private func storagesWithoutSegments() -> [FileRegion] {
    var hasSegments = [Bool](repeating: false, count: graph.storages.count)
    for tensor in placed {
      let tensor = graph.tensors[graph.index(of: tensor.id)]
      guard let storage = tensor.storage, !tensor.shape.contains(0) else { continue }
      hasSegments[graph.index(of: storage)] = true
    }
    return graph.storages.indices.lazy.filter { !hasSegments[$0] }.compactMap {
      graph.storages[$0].region
    }
  }

  /// Returns the plan of a file with these entries and their names.
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
      let text = SkeletonWriter.write(
        graph, from: container, layout: layout, placements: stored.placements)
      let fileByteCount = entries.reduce(0) {
        $0.addingClamped($1.name.utf8.count).addingClamped($1.byteCount)
      }
      metadata.append(
        (SkeletonWriter.metadataKey, PackedSkeleton.pack(text, fileByteCount: fileByteCount)))
    }
    // transformers refuses a file whose metadata has no format.
    if ownMetadata == nil, metadata.isEmpty, !aliases.isEmpty {
      metadata.append(("format", Array("pt".utf8)))
    }
    // Names are unique, so only these keys can be taken.
    let taken = Set(metadata.map { ExactString($0.key) })
    for (name, kept) in aliases where !taken.contains(ExactString(name)) {
      metadata.append((name, Array(kept.utf8)))
    }
    return ownMetadata == nil && metadata.isEmpty ? nil : metadata
  }
}

/// The caller's choices for writing a safetensors file.
public struct SafetensorsOptions: Sendable {
  /// The treatment of tensors that share their bytes.
  @nonexhaustive
  public enum TiedTensors: String, Sendable, CaseIterable {
    /// Store the bytes once; `__metadata__` maps the other names to the stored one.
    case alias
    /// Store the bytes under every name.
    case copy
  }

  /// The naming of tensors.
  public var layout: Layout
  /// Whether the skeleton holds everything that is not a tensor.
  public var includesSkeleton: Bool
  /// The treatment of tied tensors; `nil` for the one that readers of the layout need.
  public var tied: TiedTensors?
  /// Whether losses are warnings, not errors.
  public var allowsLoss: Bool
  /// The metadata other than that of skeleton and tied tensors; `nil` keeps that of the
  /// safetensors file that the checkpoint was made from.
  public var metadata: [(key: String, value: String)]?

  /// Creates options.
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

/// The warnings about a planned file, and the contents that it cannot hold.
struct EncodingNotes {
  /// Whether the file has a skeleton, which can hold everything.
  let hasSkeleton: Bool
  private(set) var warnings: [String] = []
  private var losses: [String] = []

  init(hasSkeleton: Bool) { self.hasSkeleton = hasSkeleton }

  mutating func warn(_ text: String) { warnings.append(text) }

  /// Records contents that only a skeleton can hold.
  mutating func lose(_ text: @autoclosure () -> String) {
    if !hasSkeleton { losses.append(text()) }
  }

  /// Records contents that readers without the skeleton do not see.
  mutating func hide(_ text: String) {
    if hasSkeleton { warnings.append(text) } else { losses.append(text) }
  }

  /// Records the values whose names were taken.
  mutating func note(renamed names: [String]) {
    guard let first = names.first else { return }
    let others = names.count > 1 ? ", and \(names.count - 1) more share theirs" : ""
    let message = "two values are named '\(first)'\(others)"
    hide(hasSkeleton ? "\(message); the later ones got a number" : message)
  }

  /// Turns the losses into warnings, if they are allowed.
  ///
  /// - Throws: `lossy` if they are not.
  mutating func settleLosses(allowed: Bool) throws(CheckpointError) {
    guard let first = losses.first else { return }
    guard allowed else {
      let others = losses.count > 1 ? " (and \(losses.count - 1) more)" : ""
      throw CheckpointError(
        .lossy, "\(first)\(others): a safetensors file without skeleton cannot hold it",
        remedy: .action(.allowLoss))
    }
    warnings += losses.map { "lost: \($0)" }
    losses = []
  }
}

/// The bytes of a checkpoint that a file of its tensors does not have: unused bytes of storages,
/// and records that the pickle does not use.
enum UnreachedBytes {
  /// The maximum number of storages to name; the others are counted.
  private static let namedStorages = 20

  /// Returns the warnings about storages.
  static func warnings(of graph: TensorGraph) -> [String] {
    var coverage = StorageCoverage()
    let thrownAway = thrownAwayTensors(of: graph)
    for (index, tensor) in graph.tensors.enumerated() where !thrownAway.contains(index) {
      coverage.add(tensor)
    }
    // A storage is unused after its tensors were cast.
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
        "storage '\(storage.key)' has \(missed) unused bytes; they are not saved")
    }
    if count > namedStorages {
      warnings.append("\(count - namedStorages) more storages have unused bytes")
    }
    return warnings
  }

  /// Returns the warning about records that the pickle does not use, or `nil` for none.
  static func warning(ofUnused regions: [FileRegion]) -> String? {
    let unused = regions.filter { $0.byteCount > 0 }
    guard let first = unused.first else { return nil }
    let others = unused.count > 1 ? ", and \(unused.count - 1) more like it" : ""
    return "'\(first.name)' is not used by the pickle and is not saved\(others)"
  }

  /// Returns the numbers of tensors that the pickle makes and throws away; their bytes are not
  /// saved.
  private static func thrownAwayTensors(of graph: TensorGraph) -> Set<Int> {
    guard !graph.discarded.isEmpty else { return [] }
    let made = graph.reachable(from: graph.discarded).compactMap { id -> Int? in
      guard case .tensor(let tensor) = graph[id] else { return nil }
      return graph.index(of: tensor)
    }
    return Set(made).subtracting(graph.reachableTensors().map { graph.index(of: $0) })
  }
}

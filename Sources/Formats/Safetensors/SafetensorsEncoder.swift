public import Bytes
public import Graph
internal import Plan

/// Turns a checkpoint into the plan of a safetensors file.
///
/// Decides which entry holds which tensor's bytes, and writes header and skeleton; no tensor's bytes
/// are read. An encoder has made its decisions once it exists.
public struct SafetensorsEncoder: Sendable {
  let graph: TensorGraph
  private let source: SourceDescription
  let unusedRegions: [FileRegion]
  private let layout: Layout
  /// The metadata that does not come from the graph.
  private let ownMetadata: [(key: String, value: String)]?
  /// The tensors under all of their names.
  let placed: [(name: String, id: TensorID)]
  private let stored: StoredTensors
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
  public static func encode(
    _ checkpoint: Checkpoint, options: Options
  ) throws(FormatError) -> Encoding {
    let encoder = try SafetensorsEncoder(checkpoint, options: options)
    return try encoder.encode()
  }

  /// Decides what a file for `checkpoint` holds.
  ///
  /// - Throws: `lossy` for what has no place in the file unless loss is allowed.
  init(_ checkpoint: Checkpoint, options: Options) throws(FormatError) {
    graph = checkpoint.graph
    source = checkpoint.source
    unusedRegions = checkpoint.unusedRegions
    layout = options.layout
    var includesSkeleton = options.includesSkeleton
    if let metadata = options.metadata {
      ownMetadata = metadata.isEmpty ? nil : metadata
    } else {
      ownMetadata = try MetadataRecord.metadata(of: source)
      // Such a file had no skeleton, and needs none to become the same again.
      if ownMetadata != nil { includesSkeleton = false }
    }
    // Where metadata alone tells of a tied name, it must have a key of that name to give.
    let metadataKeys =
      includesSkeleton ? [] : Set((ownMetadata ?? []).map { ExactString($0.key) })
    let leaves = try PlacedLeaves(
      of: graph, layout: layout, notes: EncodingNotes(hasSkeleton: includesSkeleton))
    placed = leaves.tensors
    var notes = leaves.notes
    stored = try StoredTensors(
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

  private func encode() throws(FormatError) -> Encoding {
    var plan = try plan(of: entries, aliases: aliases)
    for region in graph.storages.compactMap(\.region) { plan.inspect(region) }
    for region in unusedRegions { plan.inspect(region) }
    return Encoding(
      plan: plan, tensorCount: placed.count, aliasCount: aliases.count, warnings: warnings)
  }

  /// The plan of a file with these entries and names for them.
  func plan(
    of entries: [SafetensorsEntry], aliases: [(name: String, kept: String)]
  ) throws(FormatError) -> FilePlan {
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
          SkeletonWriter.write(graph, source: source, layout: layout, placements: stored.placements)
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

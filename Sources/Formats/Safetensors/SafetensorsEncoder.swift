public import Bytes
public import Graph
internal import Pickle
public import Plan

/// Turns a checkpoint into the plan of a safetensors file.
///
/// Names the leaves, decides which entry holds which tensor's bytes, and writes header and skeleton;
/// no tensor's bytes are read.
public struct SafetensorsEncoder: Sendable {
  /// What the caller decides.
  public struct Options: Sendable {
    /// What becomes of tensors that show the same bytes.
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

  /// The result: a plan and what to tell the user of it.
  public struct Encoding: Sendable {
    /// The file.
    public var plan: FilePlan
    /// How many entries hold tensors.
    public var tensorCount: Int
    /// How many names share the bytes of another.
    public var aliasCount: Int
    /// What the user should know.
    public var warnings: [String]
  }

  let graph: TensorGraph
  private let source: SourceDescription
  let unusedRegions: [FileRegion]
  private var options: Options
  /// The metadata that does not come from the graph.
  private var ownMetadata: [(key: String, value: String)]?
  private var names: TensorNames
  /// What the file holds.
  private(set) var entries: [SafetensorsEntry] = []
  /// The tensors under all of their names.
  private(set) var placed: [(name: String, id: TensorID)] = []
  /// Containers of tensors that OLMo's loader will return as dicts.
  private var flattenedContainers: Set<ExactString> = []
  /// The names that share the bytes of another, sorted.
  private(set) var aliases: [(name: String, kept: String)] = []
  private var placements: [SkeletonWriter.Placement?]
  /// The bytes of the values that are pickled.
  private var pickledByteCount = 0
  private var losses: [String] = []
  private(set) var warnings: [String] = []

  /// The plan of the file for `checkpoint`.
  ///
  /// - Throws: `lossy` for what has no place in the file unless loss is allowed; `limitExceeded` for
  ///   a header beyond what readers accept.
  public static func encode(
    _ checkpoint: Checkpoint, options: Options
  ) throws(FormatError) -> Encoding {
    var encoder = SafetensorsEncoder(checkpoint, options: options)
    return try encoder.encode()
  }

  init(_ checkpoint: Checkpoint, options: Options) {
    graph = checkpoint.graph
    source = checkpoint.source
    unusedRegions = checkpoint.unusedRegions
    self.options = options
    names = TensorNames(graph: graph, layout: options.layout)
    placements = .init(repeating: nil, count: graph.tensors.count)
  }

  private mutating func encode() throws(FormatError) -> Encoding {
    try placeLeaves()
    var plan = try plan(of: entries, aliases: aliases)
    for region in graph.storages.compactMap(\.region) { plan.inspect(region) }
    for region in unusedRegions { plan.inspect(region) }
    return Encoding(
      plan: plan, tensorCount: placed.count, aliasCount: aliases.count, warnings: warnings)
  }

  /// Decides what the file holds.
  mutating func placeLeaves() throws(FormatError) {
    if let metadata = options.metadata {
      ownMetadata = metadata.isEmpty ? nil : metadata
    } else if let metadata = try MetadataRecord.metadata(of: source) {
      ownMetadata = metadata
      // Such a file had no skeleton, and needs none to become the same again.
      options.includesSkeleton = false
    }
    let leaves = try LeafWalk.leaves(of: graph)
    names.reserveCapacity(leaves.all.count)
    for leaf in leaves.all { try place(leaf, at: leaves.path(to: leaf)) }
    storeTensors()
    try settleUnplaced()
    noteRenamed()
    if options.includesSkeleton { noteUnreachedBytes() }
    try settleLosses()
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

  // MARK: Leaves

  private mutating func place(_ leaf: Leaf, at path: [PathComponent]) throws(FormatError) {
    switch leaf.kind {
    case .tensor:
      guard case .tensor(let id) = graph[leaf.node] else { return }
      try place(id, leaf, at: path)
    case .value: try placeValue(leaf, at: path)
    case .emptyMapping: noteEmptyMapping(at: path)
    case .cycle:
      guard !options.includesSkeleton else { return }
      losses.append("'\(names.plainName(of: path))' is a container that holds itself")
    }
  }

  private mutating func place(
    _ id: TensorID, _ leaf: Leaf, at path: [PathComponent]
  ) throws(FormatError) {
    guard graph[id].storage != nil else {
      placements[graph.index(of: id)] = .init(name: nil, isDisguised: true)
      guard !options.includesSkeleton else { return }
      return losses.append(
        "tensor '\(names.plainName(of: path))' is on the meta device and has no data")
    }
    // What lies inside of a tensor has a key beside it.
    if leaf.tensorStepCount == nil { noteFlattenedContainer(on: path) }
    placed.append((try names.name(of: leaf, at: path), id))
  }

  /// OLMo has dicts of tensors only; lists and objects become dicts to its loader.
  private mutating func noteFlattenedContainer(on path: [PathComponent]) {
    guard options.layout == .olmo,
      let step = path.firstIndex(where: { if case .key = $0 { false } else { true } })
    else { return }
    let container = names.plainName(of: Array(path[..<step]))
    guard flattenedContainers.insert(ExactString(container)).inserted else { return }
    let message =
      "'\(container)' holds tensors and is not a dict: OLMo's loader will return it as one"
    if options.includesSkeleton { warnings.append(message) } else { losses.append(message) }
  }

  private mutating func placeValue(
    _ leaf: Leaf, at path: [PathComponent]
  ) throws(FormatError) {
    guard options.layout == .olmo else {
      guard !options.includesSkeleton else { return }
      let text = graph.description(of: leaf.node, limit: 40)
      return losses.append("'\(names.plainName(of: path))' is \(text), not a tensor")
    }
    let bytes = try FormatError.within(names.plainName(of: path)) { () throws(FormatError) in
      try Pickler.pickle(
        leaf.node, of: graph, protocol: TensorNames.olmoProtocol, strings: .asLoaded())
    }
    pickledByteCount += bytes.count
    guard
      pickledByteCount <= Limits.pickledValuesAtLeast
        + Limits.pickledPerTextByte * graph.textByteCount
    else {
      throw FormatError(
        .limitExceeded, "values share objects, and pickled one by one they take too many bytes",
        hint: "--layout plain keeps them in the skeleton")
    }
    entries.append(
      SafetensorsEntry(
        name: try names.name(of: leaf, at: path, isPickled: true), dtype: .u8, shape: [bytes.count],
        data: [.literal(bytes)]))
  }

  private mutating func noteEmptyMapping(at path: [PathComponent]) {
    guard !options.includesSkeleton, !path.isEmpty else { return }
    warnings.append(
      "'\(names.plainName(of: path))' is an empty dict and has no place without a skeleton")
  }

  // MARK: Tensors

  private mutating func storeTensors() {
    entries.reserveCapacity(entries.count + placed.count)
    let sharing = options.tied ?? (options.layout == .olmo ? .copy : .alias)
    var keepers: [TensorView: String] = [:]
    if sharing == .alias {
      // The name that stays is the first in order, as `safetensors.torch.save_model` chooses.
      for (name, id) in placed {
        guard let view = TensorView(graph[id]) else { continue }
        guard let kept = keepers[view], kept.utf8.lexicographicallyPrecedes(name.utf8) else {
          keepers[view] = name
          continue
        }
      }
    }
    // Where metadata alone tells of a tied name, it must have a key of that name to give.
    let metadataKeys =
      options.includesSkeleton ? [] : Set((ownMetadata ?? []).map { ExactString($0.key) })
    for (name, id) in placed {
      if let kept = TensorView(graph[id]).flatMap({ keepers[$0] }),
        ExactString(kept) != ExactString(name), !metadataKeys.contains(ExactString(name))
      {
        aliases.append((name, kept))
        place(id, under: kept)
      } else {
        entries.append(entry(name, graph[id]))
        place(id, under: name)
      }
    }
    aliases.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  private mutating func place(_ id: TensorID, under name: String) {
    let tensor = graph[id]
    guard placements[graph.index(of: id)] == nil else { return }
    placements[graph.index(of: id)] = .init(
      name: name, isDisguised: EntryForm(of: tensor).isDisguise)
  }

  private mutating func entry(_ name: String, _ tensor: Tensor) -> SafetensorsEntry {
    let form = EntryForm(of: tensor)
    if form.isDisguise, !options.includesSkeleton {
      losses.append("tensor '\(name)' has dtype \(tensor.dtype.name), which safetensors lacks")
    }
    return SafetensorsEntry(
      name: name, dtype: form.dtype, shape: form.shape, data: tensor.segments(from: graph))
  }

  /// Tells of tensors that no name leads to: they lie in the arguments that another tensor is rebuilt
  /// from, where PyTorch has none.
  ///
  /// - Throws: `unsupported` for a file with a skeleton, which could not be read back.
  private mutating func settleUnplaced() throws(FormatError) {
    let unplaced = graph.reachableTensors().first {
      graph[$0].storage != nil && placements[graph.index(of: $0)] == nil
    }
    guard let unplaced else { return }
    let tensor = graph.description(of: graph[unplaced].node, limit: 60)
    guard options.includesSkeleton else {
      return losses.append("\(tensor) lies inside of the call that makes another tensor")
    }
    throw FormatError(
      .unsupported, "\(tensor) lies inside of the call that makes another tensor",
      hint: "no program of PyTorch writes this; --no-skeleton --allow-loss leaves it out")
  }

  // MARK: Messages and metadata

  private mutating func noteRenamed() {
    guard let first = names.renamed.first else { return }
    let count = names.renamed.count
    let others = count > 1 ? ", and \(count - 1) more share theirs" : ""
    let message = "two values are named '\(first)'\(others)"
    if options.includesSkeleton {
      warnings.append("\(message); the later ones got a number")
    } else {
      losses.append(message)
    }
  }

  /// How many storages are named in warnings; the rest are counted.
  private static let namedStorages = 20

  private mutating func noteUnreachedBytes() {
    var coverage = StorageCoverage()
    let thrownAway = thrownAwayTensors()
    for (index, tensor) in graph.tensors.enumerated() where !thrownAway.contains(index) {
      coverage.add(tensor)
    }
    // A storage that tensors had before they were cast is nobody's now.
    let used = Set(graph.tensors.compactMap(\.storage))
    var count = 0
    for (index, storage) in graph.storages.enumerated() {
      let id = StorageID(index: index)
      guard used.contains(id) else { continue }
      let missed = coverage.missedByteCount(of: id, byteCount: storage.byteCount)
      guard missed > 0 else { continue }
      count += 1
      guard count <= Self.namedStorages else { continue }
      warnings.append(
        "\(missed) of the \(storage.byteCount) bytes of storage '\(storage.key)' belong to no "
          + "tensor and stay behind")
    }
    if count > Self.namedStorages {
      warnings.append("so do bytes of \(count - Self.namedStorages) more storages")
    }
    let unused = unusedRegions.filter { $0.byteCount > 0 }
    if let first = unused.first {
      let others = unused.count > 1 ? ", and \(unused.count - 1) more like it" : ""
      warnings.append("'\(first.name)' is not used by the pickle and stays behind\(others)")
    }
  }

  /// The tensors, by number, that the pickle makes and throws away; their bytes go nowhere.
  private func thrownAwayTensors() -> Set<Int> {
    guard !graph.discarded.isEmpty else { return [] }
    let made = graph.reachable(from: graph.discarded).compactMap { id -> Int? in
      guard case .tensor(let tensor) = graph[id] else { return nil }
      return graph.index(of: tensor)
    }
    return Set(made).subtracting(graph.reachableTensors().map { graph.index(of: $0) })
  }

  private mutating func settleLosses() throws(FormatError) {
    guard let first = losses.first else { return }
    guard options.allowsLoss else {
      let others = losses.count > 1 ? " (and \(losses.count - 1) more)" : ""
      throw FormatError(
        .lossy, "\(first)\(others): a safetensors file without skeleton has no place for it",
        hint: "leave out --no-skeleton, or add --allow-loss to go on without")
    }
    warnings += losses.map { "lost: \($0)" }
  }

  private func metadata(
    _ aliases: [(name: String, kept: String)]
  ) -> [(key: String, value: [UInt8])]? {
    let own = ownMetadata ?? []
    var metadata = own.map { (key: $0.key, value: Array($0.value.utf8)) }
    if options.includesSkeleton {
      if !own.contains(where: { $0.key == "format" }) {
        metadata.append(("format", Array("pt".utf8)))
      }
      metadata.append(
        (
          SkeletonWriter.metadataKey,
          SkeletonWriter.write(
            graph, source: source, layout: options.layout, placements: placements)
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

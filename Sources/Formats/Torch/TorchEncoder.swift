package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptPickle
package import CkptPlan

/// Plans a `.pt` file for a checkpoint.
///
/// A checkpoint from an archive of the same format, or with a skeleton that describes one, becomes
/// that archive again. Any other becomes the archive that current PyTorch writes with `torch.save`.
/// No tensor bytes are read.
package struct TorchEncoder: Sendable {
  /// Choices of the caller.
  package struct Options: Sendable {
    /// The directory inside the archive, for checkpoints that do not come from an archive.
    package var prefix: String
    /// Records to add to those that torch reads.
    package var records: [TorchArchiveDescription.Record]

    /// Makes options.
    package init(prefix: String, records: [TorchArchiveDescription.Record] = []) {
      self.prefix = prefix
      self.records = records
    }
  }

  /// Lays the records of an archive out: the pickle is the record `data.pkl`, and the function gives the
  /// bytes of a storage's record by its name and size.
  package typealias Layout = (
    TorchArchiveDescription, _ pickle: [UInt8],
    _ storage: (String, Int) throws(CheckpointError) -> [Segment]
  ) throws(CheckpointError) -> FilePlan

  private let isFromArchive: Bool
  private let copies: [TensorID: [FileRegion]]
  private let options: Options
  private let graph: TensorGraph
  /// The strs that name storages; each is an object of its own.
  private let storageKeys: Set<NodeID>
  private var archive: TorchArchiveDescription
  private var warnings: [String] = []

  /// Returns the plan of the ZIP archive for `checkpoint`.
  ///
  /// - Throws: `unsupported` for a tensor type that PyTorch lacks or an object that cannot be
  ///   pickled; `malformed` for a skeleton with an archive that torch cannot open.
  package static func encode(
    _ checkpoint: Checkpoint, options: Options
  ) throws(CheckpointError) -> EncodedFile {
    try encode(
      checkpoint, options: options, as: .current(prefix: options.prefix),
      layout: TorchArchiveEncoder.plan)
  }

  /// The plan of the file for `checkpoint` in the format of `standard`, which is the archive of an object
  /// that comes from no archive of this format.
  ///
  /// - Throws: what ``encode(_:options:)`` throws, and what `layout` throws.
  package static func encode(
    _ checkpoint: Checkpoint, options: Options, as standard: TorchArchiveDescription, layout: Layout
  ) throws(CheckpointError) -> EncodedFile {
    var encoder = try TorchEncoder(checkpoint, options, standard)
    return try encoder.encode(layout)
  }

  /// Returns the directory that `torch.save` uses in an archive at `path`; `nil` stands for a
  /// stream (`PyTorchStreamWriter` in `caffe2/serialize/inline_container.cc`, and
  /// `torch/serialization.py` for paths that are not ASCII).
  package static func prefix(forFileAt path: String?) -> String {
    guard let path, path.utf8.allSatisfy({ $0 < 0x80 }) else { return "archive" }
    let name = path.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }.last ?? ""
    let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
    return stem.isEmpty ? "archive" : String(stem)
  }

  /// Adds the calls of tensors that no pickle described, and gives storages the persistent ids of
  /// the format.
  private init(
    _ checkpoint: Checkpoint, _ options: Options, _ standard: TorchArchiveDescription
  ) throws(CheckpointError) {
    let format = standard.archiveFormat
    let known = checkpoint.archive
    isFromArchive =
      known.map { $0.archiveFormat == format || $0.archiveFormat.isZip && format.isZip }
      ?? false
    copies = checkpoint.copies
    self.options = options
    archive = isFromArchive ? known ?? standard : standard
    var graph = checkpoint.graph
    var newKeys: Set<NodeID> = []
    if !isFromArchive {
      try graph.makeStoragesLittleEndian()
      if known != nil { newKeys = try graph.numberStorages(from: 0) }
    }
    let firstKey = max(archive.firstFreeKey, Self.firstFreeKey(in: graph))
    var writer = ConstructionWriter(graph: consume graph, firstKey: firstKey)
    try writer.writeAll()
    storageKeys = newKeys.union(writer.storageKeys)
    graph = writer.finish()
    // An archive has its own ids already; all others may come from anywhere.
    if !isFromArchive || !format.isZip { try graph.spellStorageIDs(for: format) }
    self.graph = graph
  }

  /// Returns a number above all storage keys in the graph.
  private static func firstFreeKey(in graph: TensorGraph) -> Int {
    TorchArchiveDescription.firstFreeKey(
      among: graph.tensors.lazy.compactMap { tensor in
        if case .plain = tensor.origin { nil } else { tensor.storage.map { graph[$0].key } }
      })
  }

  private mutating func encode(_ layout: Layout) throws(CheckpointError) -> EncodedFile {
    let storages = try StorageAssembler(graph, copies: copies)
    archive.insert(storages.records)
    archive.insert(options.records)
    let pickle = try pickle()
    let plan = try layout(archive, pickle) {
      (name, byteCount) throws(CheckpointError) in
      try storages.segments(ofRecord: name, byteCount: byteCount)
    }
    noteMissingBytes(storages)
    let leaves = try LeafWalk.leaves(of: graph).all.filter { $0.kind == .tensor }
    let stored = leaves.count { leaf in
      guard case .tensor(let id) = graph[leaf.node] else { return false }
      return graph[id].storage != nil
    }
    return EncodedFile(
      plan: plan, tensorCount: leaves.count, aliasCount: max(0, stored - storages.records.count),
      warnings: warnings)
  }

  // MARK: Pickle

  private func pickle() throws(CheckpointError) -> [UInt8] {
    guard isFromArchive else {
      return try Pickler.pickle(
        graph.root, of: graph, protocol: writtenProtocol, strings: .asLoaded(except: storageKeys))
    }
    let pickle = try Pickler.pickle(graph.root, of: graph, protocol: writtenProtocol)
    return try ownSpelling(of: pickle) ?? pickle
  }

  /// Returns the pickle of the source if it is another spelling of the same object.
  ///
  /// TorchScript and picklers written in Python spell objects in other ways than CPython. Two
  /// pickles describe one object if one pickler spells both graphs in the same way.
  private func ownSpelling(of pickle: [UInt8]) throws(CheckpointError) -> [UInt8]? {
    guard let own = archive.pickleBytes, own != pickle else { return nil }
    var machine = Unpickler()
    var reader = ByteReader(own.span)
    let root = try machine.load(&reader)
    let respelled = try Pickler.pickle(root, of: machine.finish(), protocol: writtenProtocol)
    return respelled == pickle ? own : nil
  }

  /// The protocol that objects are pickled by; protocols 0 and 1 are only copied.
  private var writtenProtocol: Int { max(archive.pickleProtocol, 2) }

  // MARK: Messages

  /// The maximum number of storages named in warnings; the others are counted.
  private static let namedStorages = 20

  private mutating func noteMissingBytes(_ storages: StorageAssembler) {
    var count = 0
    for case .storage(let name, let byteCount) in archive.records {
      let missing = storages.missingByteCount(ofRecord: name, byteCount: byteCount)
      guard missing > 0 else { continue }
      count += 1
      guard count <= Self.namedStorages else { continue }
      warnings.append(
        "'\(name)' has \(missing) unused bytes of \(byteCount); they are written as zeros"
      )
    }
    if count > Self.namedStorages {
      warnings.append("\(count - Self.namedStorages) more storages have such bytes")
    }
  }
}

/// Finds the source of the bytes of each storage: a region of a file, or the tensors that are views
/// of it.
struct StorageAssembler {
  private let graph: TensorGraph
  private let copies: [TensorID: [FileRegion]]
  /// The storages by key.
  private var names: TextTable
  /// The first tensor that is a view of each storage.
  private var views: [TensorID?]
  /// The other tensors whose elements lie packed in a file, by storage.
  private var otherViews: [StorageID: [TensorID]] = [:]
  private var coverage = StorageCoverage()

  /// Creates an assembler for the storages of the tensors of `graph`.
  ///
  /// `copies` are other regions of the files with the elements of a tensor; all must be equal.
  /// - Throws: `malformed` if two storages have one name.
  init(
    _ graph: TensorGraph, copies: [TensorID: [FileRegion]]
  ) throws(CheckpointError) {
    self.graph = graph
    self.copies = copies
    names = TextTable(expectedCount: graph.storages.count)
    views = Array(repeating: nil, count: graph.storages.count)
    for id in graph.reachableTensors() {
      let tensor = graph[id]
      guard let storage = tensor.storage else { continue }
      let index = graph.index(of: storage)
      coverage.add(tensor)
      guard views[index] == nil else {
        otherViews[storage, default: []].append(id)
        continue
      }
      views[index] = id
      let key = graph.storages[index].key
      let hash = TextTable.hash(key.utf8.span)
      let known = names.update(index, hash: hash) {
        ExactString(graph.storages[$0].key) == ExactString(key)
      }
      guard known == nil else {
        throw CheckpointError(.malformed, "two storages are named '\(key)'")
      }
    }
  }

  /// The records of the storages, in reading order.
  var records: [TorchArchiveDescription.Record] {
    graph.storages.indices.filter { views[$0] != nil }.map {
      .storage(name: graph.storages[$0].recordName, byteCount: graph.storages[$0].byteCount)
    }
  }

  /// Returns the bytes of a storage record; zeros for a storage without tensors.
  ///
  /// - Throws: `malformed` for tensors that lie outside of it.
  func segments(ofRecord name: String, byteCount: Int) throws(CheckpointError) -> [Segment] {
    guard let index = storage(ofRecord: name) else { return [.zeros(byteCount: byteCount)] }
    if let region = graph.storages[index].region {
      return [.copy(region, range: 0..<region.byteCount)]
    }
    if let segments = graph.storages[index].blockSegments { return segments }
    if let segment = wholeSegment(of: index, byteCount: byteCount) { return [segment] }
    return try Segment.assembling(byteCount: byteCount, pieces: pieces(of: index))
  }

  /// Returns the number of bytes of a storage record that come from no file and are zero.
  func missingByteCount(ofRecord name: String, byteCount: Int) -> Int {
    guard let index = storage(ofRecord: name) else { return byteCount }
    guard graph.storages[index].region == nil, graph.storages[index].blocks == nil else { return 0 }
    return coverage.missedByteCount(of: StorageID(index: index), byteCount: byteCount)
  }

  /// Returns the only segment of a storage, if one tensor covers it and a file holds its elements
  /// as they are; otherwise `nil`.
  ///
  /// Nearly all storages are such copies.
  private func wholeSegment(of index: Int, byteCount: Int) -> Segment? {
    guard let id = views[index], otherViews[StorageID(index: index)] == nil, copies[id] == nil,
      !graph.storages[index].isBigEndian
    else { return nil }
    let tensor = graph[id]
    guard let packed = tensor.packed, packed.byteCount == byteCount, tensor.byteCount == byteCount,
      tensor.offset == 0, !tensor.isConjugated, !tensor.isNegated, tensor.isContiguous
    else { return nil }
    return .copy(packed, range: 0..<byteCount)
  }

  /// Returns the tensors whose elements lie packed in files, with their offsets in a storage.
  private func pieces(of index: Int) -> [Assembly.Piece] {
    var pieces: [Assembly.Piece] = []
    let others = otherViews[StorageID(index: index)] ?? []
    for id in (views[index].map { [$0] } ?? []) + others {
      let tensor = graph[id]
      guard let packed = tensor.packed, tensor.byteCount > 0 else { continue }
      let placement = tensor.placement(in: graph.storages[index])
      for region in [packed] + (copies[id] ?? []) {
        pieces.append(.init(region: region, placement: placement))
      }
    }
    return pieces
  }

  /// Returns the index of the storage that a record holds.
  private func storage(ofRecord name: String) -> Int? {
    guard name.begins(with: TorchArchiveDescription.storagePrefix) else { return nil }
    let key = name.droppingFirst(TorchArchiveDescription.storagePrefix.utf8.count)
    return names.number(hash: TextTable.hash(key.utf8.span)) { hasKey($0, key) }
  }

  private func hasKey(_ index: Int, _ key: String) -> Bool {
    ExactString(graph.storages[index].key) == ExactString(key)
  }
}

public import CkptBase
public import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptPlan

/// Turns a checkpoint into the plan of a `.pt` file.
///
/// A checkpoint that is in an archive, or whose skeleton tells of one, becomes that archive again.
/// Any other becomes what `torch.save` of current PyTorch writes for the object. No tensor's bytes
/// are read.
public struct TorchEncoder: Sendable {
  /// What the caller decides.
  public struct Options: Sendable {
    /// The directory inside the archive, for checkpoints that do not know of one.
    public var prefix: String
    /// Records to put into the archive beside those that torch reads.
    public var records: [TorchArchiveDescription.Record]

    /// Makes options.
    public init(prefix: String, records: [TorchArchiveDescription.Record] = []) {
      self.prefix = prefix
      self.records = records
    }
  }

  private let isFromArchive: Bool
  private let copies: [TensorID: [FileRegion]]
  private let options: Options
  private let graph: TensorGraph
  /// The strs that name storages anew, each an object of its own.
  private let storageKeys: Set<NodeID>
  private var archive: TorchArchiveDescription
  private var warnings: [String] = []

  /// The plan of the file for `checkpoint`.
  ///
  /// - Throws: `unsupported` for what PyTorch has no type or pickles no operation for; `malformed`
  ///   for a skeleton that describes no archive that torch could open.
  public static func encode(
    _ checkpoint: Checkpoint, options: Options
  ) throws(CheckpointError) -> EncodedFile {
    var encoder = try TorchEncoder(checkpoint, options)
    return try encoder.encode()
  }

  /// The directory that `torch.save` gives an archive for the file it is to be written to; `nil`
  /// stands for a stream (`PyTorchStreamWriter` in `caffe2/serialize/inline_container.cc`, and
  /// `torch/serialization.py` for paths that are not ASCII).
  public static func prefix(forFileAt path: String?) -> String {
    guard let path, path.utf8.allSatisfy({ $0 < 0x80 }) else { return "archive" }
    let name = path.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }.last ?? ""
    let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
    return stem.isEmpty ? "archive" : String(stem)
  }

  /// Gives tensors that come from no pickle their calls.
  private init(_ checkpoint: Checkpoint, _ options: Options) throws(CheckpointError) {
    isFromArchive = checkpoint.archive != nil
    copies = checkpoint.copies
    self.options = options
    archive = checkpoint.archive ?? .current(prefix: options.prefix)
    var writer = ConstructionWriter(graph: checkpoint.graph, firstKey: archive.firstFreeKey)
    try writer.writeAll()
    storageKeys = writer.storageKeys
    graph = writer.finish()
  }

  private mutating func encode() throws(CheckpointError) -> EncodedFile {
    let storages = try StorageAssembler(graph, copies: copies)
    archive.insert(storages.records)
    archive.insert(options.records)
    let pickle = try pickle()
    let plan = try TorchArchiveEncoder.plan(archive, pickle: pickle) {
      (name, byteCount) throws(CheckpointError) in
      try storages.segments(ofRecord: name, byteCount: byteCount)
    }
    noteMissingBytes(storages)
    let count = try LeafWalk.leaves(of: graph).all.count { $0.kind == .tensor }
    return EncodedFile(
      plan: plan, tensorCount: count, aliasCount: max(0, count - storages.records.count),
      warnings: warnings)
  }

  // MARK: Pickle

  private func pickle() throws(CheckpointError) -> [UInt8] {
    guard isFromArchive else {
      return try Pickler.pickle(
        graph.root, of: graph, protocol: archive.pickleProtocol,
        strings: .asLoaded(except: storageKeys))
    }
    let pickle = try Pickler.pickle(graph.root, of: graph, protocol: archive.pickleProtocol)
    return try ownSpelling(of: pickle) ?? pickle
  }

  /// The source's own pickle, where it is another spelling of the same object.
  ///
  /// TorchScript and picklers written in Python spell objects differently from CPython. Whether two
  /// pickles describe one object shows when both are spelled by the same pickler.
  private func ownSpelling(of pickle: [UInt8]) throws(CheckpointError) -> [UInt8]? {
    guard let own = archive.pickleBytes, own != pickle else { return nil }
    var machine = Unpickler()
    var reader = ByteReader(own.span)
    let root = try machine.load(&reader)
    let respelled = try Pickler.pickle(
      root, of: machine.finish(), protocol: archive.pickleProtocol)
    return respelled == pickle ? own : nil
  }

  // MARK: Messages

  /// How many storages are named in warnings; the rest are counted.
  private static let namedStorages = 20

  private mutating func noteMissingBytes(_ storages: StorageAssembler) {
    var count = 0
    for case .storage(let name, let byteCount) in archive.records {
      let missing = storages.missingByteCount(ofRecord: name, byteCount: byteCount)
      guard missing > 0 else { continue }
      count += 1
      guard count <= Self.namedStorages else { continue }
      warnings.append(
        "\(missing) of the \(byteCount) bytes of '\(name)' belong to no tensor and are zero")
    }
    if count > Self.namedStorages {
      warnings.append("so are bytes of \(count - Self.namedStorages) more storages")
    }
  }
}

/// Works out where the bytes of each storage come from: a region of a file, or the tensors that are
/// views of it.
struct StorageAssembler {
  private let graph: TensorGraph
  private let copies: [TensorID: [FileRegion]]
  /// The storages by their keys.
  private var names: TextTable
  /// For each storage of the graph the first tensor that is a view of it.
  private var views: [TensorID?]
  /// The other tensors whose elements lie packed, by the storages that they are views of.
  private var otherViews: [StorageID: [TensorID]] = [:]
  private var coverage = StorageCoverage()

  /// An assembler of the storages that the tensors of `graph` are views of.
  ///
  /// In `copies` is where else the files have elements of a tensor; they must be equal.
  /// - Throws: `malformed` when two storages have one name.
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

  /// The records that the storages are, in the order in which the reader met them.
  var records: [TorchArchiveDescription.Record] {
    graph.storages.indices.filter { views[$0] != nil }.map {
      .storage(name: graph.storages[$0].recordName, byteCount: graph.storages[$0].byteCount)
    }
  }

  /// The bytes of a storage's record; zeros for one that no tensor is a view of.
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

  /// How many bytes of a storage's record come from no file and are zero.
  func missingByteCount(ofRecord name: String, byteCount: Int) -> Int {
    guard let index = storage(ofRecord: name) else { return byteCount }
    guard graph.storages[index].region == nil, graph.storages[index].blocks == nil else { return 0 }
    return coverage.missedByteCount(of: StorageID(index: index), byteCount: byteCount)
  }

  /// The copy that nearly all storages are: the elements of the only tensor that is a view of it, which
  /// a file has as they are; `nil` for others.
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

  /// The elements of tensors that lie packed in files, and their places in a storage.
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

  /// The place of the storage that a record is, among those of the graph.
  private func storage(ofRecord name: String) -> Int? {
    guard name.begins(with: TorchArchiveDescription.storagePrefix) else { return nil }
    let key = name.droppingFirst(TorchArchiveDescription.storagePrefix.utf8.count)
    return names.number(hash: TextTable.hash(key.utf8.span)) { hasKey($0, key) }
  }

  private func hasKey(_ index: Int, _ key: String) -> Bool {
    ExactString(graph.storages[index].key) == ExactString(key)
  }
}

extension TensorGraph {
  /// Names the storages by numbers from `first` on, in their persistent ids as well, so that graphs
  /// of several archives can be put together.
  ///
  /// - Throws: `limitExceeded` when the graph is full.
  package mutating func numberStorages(from first: Int) throws(CheckpointError) {
    var keys: [ExactString: NodeID] = [:]
    for (index, storage) in storages.enumerated() {
      let key = String(first + index)
      keys[ExactString(storage.key)] = try addString(key)
      setKey(key, of: StorageID(index: index))
    }
    for index in 0..<nodeCount {
      let node = NodeID(index: index)
      guard case .persistent(let id) = self[node] else { continue }
      replace(node, with: .persistent(try renamed(id, keys)))
    }
    for index in tensors.indices {
      guard case .storage(let id) = tensors[index].origin else { continue }
      var tensor = tensors[index]
      tensor.origin = .storage(id: try renamed(id, keys))
      replace(TensorID(index: index), with: tensor)
    }
  }

  /// A persistent id with the new key in the place of the old one.
  private mutating func renamed(
    _ id: NodeID, _ keys: [ExactString: NodeID]
  ) throws(CheckpointError) -> NodeID {
    guard let found = tuple(id), found.count >= 5 else { return id }
    var parts = Array(found)
    guard let key = string(parts[2]).flatMap({ keys[ExactString($0)] }) else { return id }
    parts[2] = key
    return try add(.tuple(addChildren(parts[...])))
  }
}

package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptTorch

/// The tar archive of PyTorch 0.1, which is read and not written.
package struct TorchTarContainer: FileContainer {
  /// Its name.
  package var name: String { "torch-tar" }
  /// The format of `torch.save`.
  package var format: CheckpointFormat? { .torch }

  /// The container.
  package init() {}

  /// The reason why torch.load would not read the members of an archive to their last byte, where they
  /// are those of PyTorch.
  ///
  /// Pickles are followed whatever they name.
  ///
  /// - Throws: `inputOutput` when the source cannot be read.
  package static func fault(
    in source: any ByteSource
  ) throws(CheckpointError) -> CheckpointError? {
    do throws(CheckpointError) {
      var reader = try TorchTarReader(source, .report)
      if reader.isComplete { try reader.readMembers() }
      return nil
    } catch {
      guard error.code.isOfTheInput else { throw error }
      return error
    }
  }

  /// Whether the first members are those that PyTorch wrote.
  package func recognizesStart(of look: inout SourceLook) throws(CheckpointError) -> Bool {
    guard TarArchive.begins(look.head) else { return false }
    return try TorchTarReader(look.source, .refuse).isComplete
  }

  /// Reads the archive.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    try CheckpointError.within(look.source.name) { () throws(CheckpointError) in
      var reader = try TorchTarReader(look.source, options.dropsUnsafe ? .drop : .refuse)
      return try reader.read()
    }
  }
}

/// Reads the tar archive of PyTorch 0.1, and none of its tensor data.
///
/// Storages, tensors and the object are members of their own, and refer to each other by numbers
/// (`torch/serialization.py`, `legacy_load`).
struct TorchTarReader {
  /// The largest number of members to read: PyTorch wrote four.
  private static let memberLimit = 64
  /// The members without which an archive is not PyTorch's; `tensors` may be missing where the object
  /// names storages itself.
  private static let members = [storagesMember, objectMember]
  private static let storagesMember = "storages"
  private static let tensorsMember = "tensors"
  private static let objectMember = "pickle"

  private let source: any ByteSource
  private let archive: TarArchive
  private let unsafeGlobals: Unpickler.UnsafeGlobals
  private var storages = TarStorages()
  /// The tensors by their keys.
  private var tensors: [ExactString: TarTensor] = [:]
  private var warnings: [String] = []

  /// A tensor of the archive.
  private struct TarTensor {
    var storage: ExactString
    var shape: [Int]
    var strides: [Int]
    var offset: Int
  }

  init(
    _ source: any ByteSource, _ unsafeGlobals: Unpickler.UnsafeGlobals
  ) throws(CheckpointError) {
    self.source = source
    self.unsafeGlobals = unsafeGlobals
    archive = try TarArchive(reading: source, limit: Self.memberLimit)
  }

  /// Whether the archive has what PyTorch cannot do without.
  var isComplete: Bool { Self.members.allSatisfy { archive.file(named: $0) != nil } }

  mutating func read() throws(CheckpointError) -> Checkpoint {
    guard let object = try readMembers() else {
      throw CheckpointError(.malformed, "the archive has no member '\(Self.objectMember)'")
    }
    return try CheckpointError.within(Self.objectMember) { () throws(CheckpointError) in
      try checkpoint(object)
    }
  }

  /// Reads the members to their ends; returns the pickle of the object.
  @discardableResult
  mutating func readMembers() throws(CheckpointError) -> PickleStream.Pickle? {
    try within(Self.storagesMember) { reader, stream throws(CheckpointError) in
      try reader.readStorages(&stream)
    }
    try within(Self.tensorsMember) { reader, stream throws(CheckpointError) in
      try reader.readTensors(&stream)
    }
    var object: PickleStream.Pickle?
    try within(Self.objectMember) { reader, stream throws(CheckpointError) in
      object = try reader.next(&stream)
    }
    return object
  }

  /// Reads a member, if it is there, to its end.
  private mutating func within(
    _ name: String,
    _ body: (inout TorchTarReader, inout PickleStream) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard let member = archive.file(named: name) else { return }
    try CheckpointError.within(name) { () throws(CheckpointError) in
      var stream = PickleStream(source, in: member.range, unsafeGlobals)
      try body(&self, &stream)
      guard stream.remaining == 0 else {
        throw CheckpointError(
          .malformed, "\(stream.remaining) bytes follow what torch.load reads",
          at: stream.position - member.range.lowerBound)
      }
    }
  }

  // MARK: Storages and tensors

  private mutating func readStorages(_ stream: inout PickleStream) throws(CheckpointError) {
    for _ in 0..<(try count(&stream)) {
      let pickle = try next(&stream)
      guard let items = pickle.graph.shortTuple(pickle.graph.root), items.count == 3,
        let key = Self.key(items[0], in: pickle.graph),
        let location = pickle.graph.name(items[1]),
        case .global(_, let name) = pickle.graph[items[2]],
        case .some(.some(let dtype)) = StorageClass.dtype(named: pickle.graph.name(name) ?? "")
      else { throw Self.unexpected(pickle.graph, "a storage's key, device and class") }
      let count = try stream.nextNumber()
      let byteCount = try count.multiplied(
        by: dtype.byteCount, orThrow: "the size of storage '\(key.text)'")
      let region = FileRegion(
        source: source, range: try stream.skip(byteCount), name: "storage '\(key.text)'")
      storages.add(key, dtype, location, region)
    }
    guard stream.remaining > 0 else { return }
    try readViews(next(&stream).graph)
  }

  /// Reads the storages that are parts of others.
  private mutating func readViews(_ graph: TensorGraph) throws(CheckpointError) {
    guard case .list(let run) = graph[graph.root] else {
      throw Self.unexpected(graph, "a list of views")
    }
    for id in graph[run] {
      guard let items = graph.shortTuple(id), items.count == 4,
        let key = Self.key(items[0], in: graph), let root = Self.key(items[1], in: graph),
        let offset = graph.int(items[2]), let count = graph.int(items[3])
      else { throw Self.unexpected(graph, "a list of views") }
      try storages.addView(key, of: root, offset: offset, count: count)
    }
  }

  private mutating func readTensors(_ stream: inout PickleStream) throws(CheckpointError) {
    for _ in 0..<(try count(&stream)) {
      let pickle = try next(&stream)
      guard let items = pickle.graph.shortTuple(pickle.graph.root), items.count == 3,
        let key = Self.key(items[0], in: pickle.graph),
        let storage = Self.key(items[1], in: pickle.graph)
      else { throw Self.unexpected(pickle.graph, "a tensor's key, storage and class") }
      // Four bytes tell the number of dimensions, and four follow that nobody reads.
      let dimensions = try stream.nextNumber() & 0xffff_ffff
      guard dimensions <= Limits.dimensions else {
        throw CheckpointError(.limitExceeded, "a tensor has \(dimensions) dimensions")
      }
      var numbers: [Int] = []
      for _ in 0..<2 * dimensions + 1 { numbers.append(try stream.nextNumber()) }
      guard numbers.allSatisfy({ $0 >= 0 }) else {
        throw CheckpointError(.malformed, "tensor '\(key.text)' has a negative size or stride")
      }
      tensors[key] = TarTensor(
        storage: storage, shape: Array(numbers[..<dimensions]),
        strides: Array(numbers[dimensions..<2 * dimensions]), offset: numbers[2 * dimensions])
    }
  }

  /// Reads the number of storages or tensors that follow.
  private mutating func count(_ stream: inout PickleStream) throws(CheckpointError) -> Int {
    let graph = try next(&stream).graph
    // Each takes some bytes, so that a large number ends with the member.
    guard let count = graph.int(graph.root), count >= 0 else {
      throw Self.unexpected(graph, "a number")
    }
    return count
  }

  private mutating func next(
    _ stream: inout PickleStream
  ) throws(CheckpointError) -> PickleStream.Pickle {
    let pickle = try stream.nextPickle()
    warnings += pickle.warnings
    return pickle
  }

  /// A key: a number, or a str in what other programs write.
  private static func key(_ id: NodeID, in graph: TensorGraph) -> ExactString? {
    (graph.int(id).map(String.init) ?? graph.name(id)).map { ExactString($0) }
  }

  private static func unexpected(_ graph: TensorGraph, _ expected: String) -> CheckpointError {
    CheckpointError(
      .malformed, "found \(graph.description(of: graph.root, limit: 60)), expected \(expected)")
  }

  // MARK: The object

  /// The checkpoint with the object that `pickle` describes.
  private func checkpoint(
    _ pickle: PickleStream.Pickle
  ) throws(CheckpointError) -> Checkpoint {
    var graph = pickle.graph
    var bound: [Int: StorageID] = [:]
    for index in 0..<graph.nodeCount {
      let node = NodeID(index: index)
      guard case .persistent(let id) = graph[node], let key = Self.key(id, in: graph) else {
        continue
      }
      graph.add(try tensor(key, node: node, in: &graph, &bound))
    }
    try graph.addMissingPersistence()
    var recognizer = TensorRecognizer(graph: consume graph, storages: storages)
    try recognizer.recognize()
    var writer = ConstructionWriter(graph: recognizer.finish(), firstKey: 0)
    try writer.writeAll()
    graph = writer.finish()
    let records = graph.storages.map {
      TorchArchiveDescription.Record.storage(name: $0.recordName, byteCount: $0.byteCount)
    }
    let archive = TorchArchiveDescription(
      .tar, prefix: "archive", pickleProtocol: pickle.version, isBigEndian: false,
      hasChecksums: false, records: records)
    return Checkpoint(
      graph: graph, container: archive, byteCount: source.byteCount,
      warnings: warnings + graph.discardedWarnings)
  }

  /// The tensor, or the storage as a tensor of its elements, that a key in the object stands for.
  private func tensor(
    _ key: ExactString, node: NodeID, in graph: inout TensorGraph,
    _ bound: inout [Int: StorageID]
  ) throws(CheckpointError) -> Tensor {
    let found = tensors[key]
    let name = found?.storage ?? key
    guard let place = storages[name] else {
      throw CheckpointError(
        .malformed, "'\(name.text)' is no tensor or storage of the archive",
        remedy: "the file is incomplete; fetch it again")
    }
    let id = bound[place.root] ?? graph.add(storages.whole(place.root))
    bound[place.root] = id
    let tensor = Tensor(
      node: node, dtype: place.dtype, shape: found?.shape ?? [place.elements.count],
      strides: found?.strides ?? [1],
      offset: try (found?.offset ?? 0).adding(
        place.elements.lowerBound, orThrow: "the offset of a tensor"),
      storage: id)
    try tensor.check(storageByteCount: place.elements.upperBound * place.dtype.byteCount)
    return tensor
  }
}

extension TensorGraph {
  /// Makes persistent ids of tuples that look like one: other programs than PyTorch wrote archives
  /// without the operation that says so.
  fileprivate mutating func addMissingPersistence() throws(CheckpointError) {
    for object in objects {
      guard let items = shortTuple(object.arguments), let id = items.first,
        let parts = shortTuple(id), parts.count >= 5, text(of: parts[0], equals: "storage"),
        case .global = self[parts[1]]
      else { continue }
      replace(id, with: .persistent(try add(.tuple(addChildren(parts[...])))))
    }
  }
}

package import CkptBase
package import CkptContainer
internal import CkptGraph
internal import CkptPickle
internal import CkptPlan
internal import CkptTorch

/// Turns a checkpoint into the plan of a legacy file of `torch.save`, byte for byte.
package enum LegacyEncoder {
  /// The plan of the file for `checkpoint`.
  ///
  /// - Throws: what ``TorchEncoder`` throws; `malformed` for a skeleton that describes no file that
  ///   torch could open.
  package static func encode(_ checkpoint: Checkpoint) throws(CheckpointError) -> EncodedFile {
    try TorchEncoder.encode(
      checkpoint, options: .init(prefix: "archive"), as: standard(), layout: plan)
  }

  /// The file of an object without storages, as PyTorch writes it on a little-endian machine.
  private static func standard() throws(CheckpointError) -> TorchArchiveDescription {
    var records: [TorchArchiveDescription.Record] = []
    for pickle in LegacyReader.Pickle.allCases {
      var graph = TensorGraph()
      let root: NodeID
      switch pickle {
      case .magicNumber:
        root = try graph.add(.largeInt(graph.addBytes(LegacyReader.magicNumber)))
      case .protocolVersion: root = try graph.add(.int(LegacyReader.protocolVersion))
      case .systemInfo: root = try graph.addSystemInfo()
      case .object:
        records.append(.pickle(name: pickle.recordName))
        continue
      case .storageKeys:
        records.append(.other(name: pickle.recordName, bytes: []))
        continue
      }
      let bytes = try Pickler.pickle(root, of: graph, protocol: 2)
      records.append(.other(name: pickle.recordName, bytes: bytes))
    }
    return TorchArchiveDescription(
      .legacy, prefix: "archive", pickleProtocol: 2, isBigEndian: false, hasChecksums: false,
      records: records)
  }

  /// The pickle of the keys of storages.
  static func pickle(_ keys: [String], _ version: Int) throws(CheckpointError) -> [UInt8] {
    var graph = TensorGraph()
    var items: [NodeID] = []
    for key in keys { items.append(try graph.addString(key)) }
    let root = try graph.add(.list(graph.addChildren(items[...])))
    return try Pickler.pickle(root, of: graph, protocol: max(version, 2))
  }

  /// Lays the records of a file out; `storage` gives the bytes of a storage's record by its name and
  /// size.
  ///
  /// - Throws: `malformed` for records that torch could not load, or that are not what they are named;
  ///   and what `storage` throws.
  private static func plan(
    _ archive: TorchArchiveDescription, pickle: [UInt8],
    storage: (String, Int) throws(CheckpointError) -> [Segment]
  ) throws(CheckpointError) -> FilePlan {
    let object = try LegacyReader.graph(of: pickle, .object)
    var storages = try LegacyStorages(announced: object)
    let sizes = archive.storageByteCounts
    // torch.load has no place for a storage that the object does not speak of.
    let spoken = Set(storages.announced.lazy.map { ExactString($0.key) })
    let keys = sizes.map(\.key).filter { spoken.contains(ExactString($0)) }
    try storages.setOrder(keys)
    var plan = FilePlan()
    for part in LegacyReader.Pickle.allCases {
      plan.append(
        .literal(part == .object ? pickle : try bytes(of: part, in: archive, keys)))
    }
    let byteCounts = Dictionary(sizes.map { (ExactString($0.key), $0.byteCount) }) { first, _ in
      first
    }
    for announced in storages.announced {
      let byteCount = try announced.byteCount()
      guard byteCounts[ExactString(announced.key)] == byteCount else {
        throw CheckpointError(
          .malformed,
          "storage '\(announced.key)' does not have the \(byteCount) bytes that the object says")
      }
      guard byteCount <= Limits.outputBytes - plan.byteCount - 8 else {
        throw CheckpointError(
          .limitExceeded,
          "with the \(byteCount) bytes of storage '\(announced.key)' the file would have more than "
            + "\(Limits.outputBytes)")
      }
      var writer = ByteWriter(capacity: 8)
      writer.write(integer: UInt64(announced.elementCount))
      plan.append(.literal(writer.bytes))
      for segment in try storage(announced.recordName, byteCount) { plan.append(segment) }
    }
    return plan
  }

  /// The bytes of a pickle beside the object: those of the record, if they are what it is named.
  ///
  /// A skeleton may say what it likes, and must not become a pickle that runs something.
  private static func bytes(
    of pickle: LegacyReader.Pickle, in archive: TorchArchiveDescription, _ keys: [String]
  ) throws(CheckpointError) -> [UInt8] {
    let bytes = archive.bytes(ofRecord: pickle.recordName)
    guard pickle == .storageKeys else {
      try LegacyReader.check(pickle, LegacyReader.graph(of: bytes, pickle))
      return bytes
    }
    if !bytes.isEmpty,
      try LegacyStorages.keys(in: LegacyReader.graph(of: bytes, pickle)) == keys
    {
      return bytes
    }
    return try self.pickle(keys, archive.pickleProtocol)
  }
}

extension LegacyReader {
  /// The object that `bytes`, which are one pickle, describe.
  ///
  /// - Throws: what ``Unpickler`` throws, `malformed` when more follows the pickle.
  fileprivate static func graph(
    of bytes: [UInt8], _ pickle: Pickle
  ) throws(CheckpointError) -> TensorGraph {
    try CheckpointError.within(pickle.recordName) { () throws(CheckpointError) in
      var machine = Unpickler()
      var reader = ByteReader(bytes.span)
      let root = try machine.load(&reader)
      guard reader.remaining == 0 else {
        throw CheckpointError(.malformed, "\(reader.remaining) bytes follow the pickle")
      }
      var graph = machine.finish()
      graph.root = root
      return graph
    }
  }
}

extension TorchArchiveDescription {
  /// The storages among the records, with their sizes.
  fileprivate var storageByteCounts: [(key: String, byteCount: Int)] {
    records.compactMap {
      guard case .storage(let name, let byteCount) = $0, name.begins(with: Self.storagePrefix)
      else { return nil }
      return (name.droppingFirst(Self.storagePrefix.utf8.count), byteCount)
    }
  }

  /// The bytes of a small record; none where it is missing.
  fileprivate func bytes(ofRecord name: String) -> [UInt8] {
    for case .other(name, let bytes) in records { return bytes }
    return []
  }
}

extension TensorGraph {
  /// Adds what PyTorch says of a little-endian machine (`torch/serialization.py`, `sys_info`).
  fileprivate mutating func addSystemInfo() throws(CheckpointError) -> NodeID {
    var sizes: [(key: NodeID, value: NodeID)] = []
    for (type, byteCount) in [("short", 2), ("int", 4), ("long", 4)] {
      sizes.append((try addString(type), try add(.int(byteCount))))
    }
    return try addDict([
      (addString("protocol_version"), add(.int(LegacyReader.protocolVersion))),
      (addString("little_endian"), TensorGraph.true),
      (addString("type_sizes"), addDict(sizes)),
    ])
  }
}

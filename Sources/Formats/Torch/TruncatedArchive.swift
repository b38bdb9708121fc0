package import CkptBase
internal import CkptGraph
internal import CkptPickle
internal import CkptPlan
internal import CkptZip

/// An archive of `torch.save` that was cut off: what its beginning tells of the whole.
///
/// Sizes stand at an archive's end, but the pickle, which `torch.save` writes first, names every
/// storage with its length, and the rest of the layout follows from that.
package struct TruncatedArchive {
  /// The size that the whole file had, in bytes.
  package let byteCount: Int

  /// How much of a file is read in search of the pickle's end, in bytes: first, and at most.
  private static let pickleByteCounts = [1 << 20, 32 << 20]

  /// The alignment that `torch.save` uses unless it is told otherwise, in bytes.
  private static let alignment = 64

  /// What `source` was, or `nil` where its beginning does not tell.
  ///
  /// - Throws: `inputOutput` when the file cannot be read.
  package init?(_ source: any ByteSource) throws(CheckpointError) {
    guard let first = try LocalHeaderOnlyEntry(in: source, at: 0),
      let slash = first.name.utf8.firstIndex(of: UInt8(ascii: "/")),
      first.name[slash...] == "/data.pkl", first.dataOffset % Self.alignment == 0,
      let (pickle, storages) = try Self.readPickle(of: source, at: first.dataOffset),
      let second = try LocalHeaderOnlyEntry(
        in: source, at: first.dataOffset + pickle.count + LocalHeaderOnlyEntry.descriptorByteCount)
    else { return nil }
    let prefix = String(first.name[..<slash])
    var archive = TorchArchiveDescription.current(prefix: prefix)
    archive.keepRecords(
      ofWriterWhoseSecondRecordIs: second.name.droppingFirst(prefix.utf8.count + 1))
    archive.insert(storages)
    let plan = try? TorchArchiveEncoder.plan(archive, pickle: pickle) { _, byteCount in
      [.zeros(byteCount: byteCount)]
    }
    guard let plan, plan.byteCount > source.byteCount else { return nil }
    byteCount = plan.byteCount
  }

  /// The error that says how much of `source` is missing.
  package func error(readFrom source: any ByteSource) -> CheckpointError {
    CheckpointError(
      .truncated,
      "this archive was cut off: \(source.byteCount) of its \(byteCount) bytes are there, "
        + "\(byteCount - source.byteCount) are missing",
      remedy: "fetch it again, or let the download go on where it ended (curl -C -)")
  }

  /// The pickle at `offset`, and the storages that it names.
  private static func readPickle(
    of source: any ByteSource, at offset: Int
  ) throws(CheckpointError) -> (pickle: [UInt8], storages: [TorchArchiveDescription.Record])? {
    for byteCount in pickleByteCounts {
      let bytes = try source.bytes(in: offset..<offset + byteCount)
      var machine = Unpickler()
      var reader = ByteReader(bytes.span)
      guard (try? machine.load(&reader)) != nil else {
        guard bytes.count == byteCount else { return nil }
        continue
      }
      let end = reader.position
      guard let storages = try? storages(in: machine.finish()) else { return nil }
      return (Array(bytes[..<end]), storages)
    }
    return nil
  }

  private static func storages(
    in graph: TensorGraph
  ) throws(CheckpointError) -> [TorchArchiveDescription.Record] {
    var storages: [TorchArchiveDescription.Record] = []
    var reader = PersistentStorage.Reader()
    for index in 0..<graph.nodeCount {
      guard case .persistent(let id) = graph[NodeID(index: index)] else { continue }
      let storage = try reader.read(id, in: graph)
      storages.append(.storage(name: storage.recordName, byteCount: try storage.byteCount()))
    }
    return storages
  }
}

extension TorchArchiveDescription {
  /// Removes the records that the writer of an archive with that second record did not know.
  fileprivate mutating func keepRecords(ofWriterWhoseSecondRecordIs name: String) {
    guard name != Self.formatVersionRecord else { return }
    var unknown: Set = [Self.formatVersionRecord, Self.alignmentRecord]
    if name != Self.byteOrderRecord {
      unknown.formUnion([Self.byteOrderRecord, Self.serializationIDRecord])
    }
    records.removeAll { unknown.contains($0.name) }
  }
}

package import CkptBase
internal import CkptGraph
internal import CkptPickle
internal import CkptPlan
internal import CkptZip

/// A truncated archive of `torch.save`, and the size of the whole file.
///
/// The table of contents is at the end of an archive, but `torch.save` writes the pickle first. The
/// pickle names every storage with its length, and the layout follows from that.
package struct TruncatedArchive {
  /// The size of the whole file in bytes.
  package let byteCount: Int

  /// The numbers of bytes to read in search of the end of the pickle: at first, and at most.
  private static let pickleByteCounts = [1 << 20, 32 << 20]

  /// The default alignment of `torch.save`, in bytes.
  private static let alignment = 64

  /// Reads the beginning of `source`; `nil` if it does not give the size.
  ///
  /// - Throws: `inputOutput` if the file cannot be read.
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

  /// Returns the error with the number of missing bytes of `source`.
  package func error(readFrom source: any ByteSource) -> CheckpointError {
    CheckpointError(
      .truncated,
      "this archive is truncated: it has \(source.byteCount) of \(byteCount) bytes, "
        + "\(byteCount - source.byteCount) are missing",
      remedy: "download or copy it again, or resume the download (curl -C - does)")
  }

  /// Reads the pickle at `offset`, and the storages that it names.
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
  /// Removes the records that are unknown to a writer with that second record.
  fileprivate mutating func keepRecords(ofWriterWhoseSecondRecordIs name: String) {
    guard name != Self.formatVersionRecord else { return }
    var unknown: Set = [Self.formatVersionRecord, Self.alignmentRecord]
    if name != Self.byteOrderRecord {
      unknown.formUnion([Self.byteOrderRecord, Self.serializationIDRecord])
    }
    records.removeAll { unknown.contains($0.name) }
  }
}

package import CkptBase
public import CkptContainer
internal import CkptSafetensors

/// The index of a checkpoint in several files.
package struct ShardIndexContainer: FileContainer {
  /// Its name.
  package var name: String { "shards" }
  /// None: each file has its own.
  package var format: CheckpointFormat? { nil }

  /// The container.
  package init() {}

  /// No: JSON begins other files as well.
  package func recognizesStart(of look: inout SourceLook) -> Bool { false }

  /// Whether the file is JSON text with the place of each tensor.
  package func recognizesContents(of look: inout SourceLook) throws(CheckpointError) -> Bool {
    guard try FileKind.sniff(&look) == .json else { return false }
    return try ShardIndex.isPresent(in: Self.contents(of: &look))
  }

  /// Reads the index and the structure of its files, which lie beside it.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    let index = try CheckpointError.within(look.source.name) { () throws(CheckpointError) in
      try Self.index(in: &look)
    }
    guard let file = look.source as? FileSource else {
      throw CheckpointError(
        .unsupported, "an index of shards is read only where its files lie beside it"
      ).framed(by: look.source.name)
    }
    return try ShardedReader.read(index, file, options)
  }

  /// The index that a file is.
  ///
  /// - Throws: `malformed` for one with entries that cannot be meant.
  static func index(in look: inout SourceLook) throws(CheckpointError) -> ShardIndex {
    try ShardIndex(reading: contents(of: &look))
  }

  private static func contents(of look: inout SourceLook) throws(CheckpointError) -> [UInt8] {
    try look.contents(of: "an index of shards", atMost: Limits.indexBytes)
  }
}

/// The files of a checkpoint in several with an index, as they were found.
public struct ShardsDescription: Sendable {
  /// One of the files.
  public struct Shard: Sendable {
    /// Its name, without a directory.
    public var name: String
    /// Its size in bytes.
    public var byteCount: Int
    /// The number of its entries.
    public var entryCount: Int

    package init(name: String, byteCount: Int, entryCount: Int) {
      self.name = name
      self.byteCount = byteCount
      self.entryCount = entryCount
    }
  }

  /// The files in the order of their names.
  public var shards: [Shard]
  /// The entries of the files' `__metadata__`, those that are equal once.
  public var metadata: [(key: String, value: String)]
  /// The size of all tensors that the index announces, in bytes.
  public var announcedByteCount: Int?

  package init(
    shards: [Shard], metadata: [(key: String, value: String)], announcedByteCount: Int?
  ) {
    self.shards = shards
    self.metadata = metadata
    self.announcedByteCount = announcedByteCount
  }
}

/// Several files with an index as a container.
extension ShardsDescription: ContainerDescription {
  /// `shards`.
  public var kind: String { "shards" }
  /// The number of files.
  public var title: String { "index of \(shards.count) shard\(shards.count == 1 ? "" : "s")" }
  /// Their metadata and sizes.
  public var facts: [ContainerFact] {
    [
      .metadata(metadata),
      .init("total_size", announcedByteCount.map { .number($0) } ?? .unknown),
      .init(
        "shards",
        .list(
          shards.map {
            [
              .init("name", .text($0.name)), .init("bytes", .number($0.byteCount)),
              .init("entries", .number($0.entryCount)),
            ]
          })),
    ]
  }
  /// None: each file has its own.
  public var format: CheckpointFormat? { nil }
  /// No: the index has names.
  public var holdsObject: Bool { false }
}

package import CkptBase
package import CkptContainer
internal import CkptSafetensors

/// The index of a sharded checkpoint.
package struct ShardIndexContainer: FileContainer {
  /// The name of the container.
  package var name: String { "shards" }
  /// None: each shard has its own.
  package var format: CheckpointFormat? { nil }

  /// Creates the container.
  package init() {}

  /// Returns false: other files begin like JSON too.
  package func recognizesStart(of look: inout SourceLook) -> Bool { false }

  /// Whether the file is a JSON index with the shard of each tensor.
  package func recognizesContents(of look: inout SourceLook) throws(CheckpointError) -> Bool {
    guard try FileKind.sniff(&look) == .json else { return false }
    return try ShardIndex.isPresent(in: Self.contents(of: &look))
  }

  /// Reads the index and the structure of the shards beside it.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    let index = try CheckpointError.within(look.source.name) { () throws(CheckpointError) in
      try Self.index(in: &look)
    }
    guard let file = look.source as? FileSource else {
      throw CheckpointError(
        .unsupported, "an index of shards can only be read as a file beside its shards"
      ).framed(by: look.source.name)
    }
    return try ShardedReader.read(index, file, options)
  }

  /// Reads a file as an index.
  ///
  /// - Throws: `malformed` for an index with invalid entries.
  static func index(in look: inout SourceLook) throws(CheckpointError) -> ShardIndex {
    try ShardIndex(reading: contents(of: &look))
  }

  private static func contents(of look: inout SourceLook) throws(CheckpointError) -> [UInt8] {
    try look.contents(of: "an index of shards", atMost: Limits.indexBytes)
  }
}

/// A sharded checkpoint with an index, as it was found.
package struct ShardsDescription: Sendable {
  /// One shard.
  package struct Shard: Sendable {
    /// The file name.
    package var name: String
    /// The size in bytes.
    package var byteCount: Int
    /// The number of entries.
    package var entryCount: Int

    package init(name: String, byteCount: Int, entryCount: Int) {
      self.name = name
      self.byteCount = byteCount
      self.entryCount = entryCount
    }
  }

  /// The shards, sorted by name.
  package var shards: [Shard]
  /// The `__metadata__` entries of all shards without duplicates.
  package var metadata: [(key: String, value: String)]
  /// The size of all tensors according to the index, in bytes.
  package var announcedByteCount: Int?
  /// The position in ``shards`` of the file with each tensor.
  package var fileNumbers: [ExactString: Int]

  package init(
    shards: [Shard], metadata: [(key: String, value: String)], announcedByteCount: Int?,
    fileNumbers: [ExactString: Int]
  ) {
    self.fileNumbers = fileNumbers
    self.shards = shards
    self.metadata = metadata
    self.announcedByteCount = announcedByteCount
  }
}

/// A sharded checkpoint as a container.
extension ShardsDescription: ContainerDescription {
  /// `shards`.
  package var kind: String { "shards" }
  /// The number of shards.
  package var title: String { "index of \(shards.count) shard\(shards.count == 1 ? "" : "s")" }
  /// Their metadata and sizes.
  package var facts: [ContainerFact] {
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
  /// None: each shard has its own.
  package var format: CheckpointFormat? { nil }
  /// No: the index holds names.
  package var holdsObject: Bool { false }
}

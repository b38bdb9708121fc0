public import CkptContainer

/// The files of a checkpoint in several with an index, as they were found.
public struct ShardsDescription: Sendable {
  /// One of the files.
  public struct Shard: Sendable {
    /// Its name, without a directory.
    public var name: String
    /// Its size in bytes.
    public var byteCount: Int
    /// How many entries it holds.
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
  /// What the index gives as the size of all tensors, in bytes.
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

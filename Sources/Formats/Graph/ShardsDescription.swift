/// What a checkpoint in several files has beside its tensors.
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

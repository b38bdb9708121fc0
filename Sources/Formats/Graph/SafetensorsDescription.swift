/// What a safetensors file has beside its tensors.
public struct SafetensorsDescription: Sendable {
  /// How its tensors are named: `plain` or `olmo`.
  public var layout: String
  /// The size of the JSON header in bytes, padding included.
  public var headerByteCount: Int
  /// The entries of `__metadata__`, in their order.
  public var metadata: [(key: String, value: String)]
  /// Whether the header has a `__metadata__`, which may be empty.
  public var hasMetadata: Bool
  /// The archive that the file was made from, where its skeleton tells.
  public var origin: TorchArchiveDescription?

  package init(
    layout: String, headerByteCount: Int, metadata: [(key: String, value: String)],
    hasMetadata: Bool, origin: TorchArchiveDescription? = nil
  ) {
    self.layout = layout
    self.headerByteCount = headerByteCount
    self.metadata = metadata
    self.hasMetadata = hasMetadata
    self.origin = origin
  }
}

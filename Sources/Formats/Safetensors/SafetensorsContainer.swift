package import CkptBase
package import CkptContainer
package import CkptSkeleton

/// The safetensors file.
package struct SafetensorsContainer: FileContainer {
  /// The name of the container.
  package var name: String { "safetensors" }
  /// Safetensors.
  package var format: CheckpointFormat? { .safetensors }

  /// Creates the container.
  package init() {}

  /// Whether the bytes start with a plausible header length and an opening brace.
  package func recognizesStart(of look: inout SourceLook) -> Bool {
    let head = look.head
    guard head.count > 8, SafetensorsHeader.begins(head[8...]) else { return false }
    let length = head[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    // Above both bounds these are eight other bytes before a brace.
    let bound = max(Limits.safetensorsHeaderBytes, look.source.byteCount - 8)
    return length >= 2 && length <= UInt64(bound)
  }

  /// Reads the header.
  package func read(
    _ look: inout SourceLook, _ options: ReadingOptions
  ) throws(CheckpointError) -> Checkpoint {
    try SafetensorsReader.read(look, options)
  }
}

/// The header of a safetensors file, as it was found.
package struct SafetensorsDescription: Sendable {
  /// The naming of its tensors.
  package var layout: Layout
  /// The size of the JSON header in bytes, padding included.
  package var headerByteCount: Int
  /// The entries of `__metadata__`, in their order.
  package var metadata: [(key: String, value: String)]
  /// Whether the header has a `__metadata__`, even an empty one.
  package var hasMetadata: Bool
  /// The container that the file was made from, if its skeleton says so.
  package var origin: (any ContainerDescription)?

  package init(
    layout: Layout, headerByteCount: Int, metadata: [(key: String, value: String)],
    hasMetadata: Bool, origin: (any ContainerDescription)? = nil
  ) {
    self.layout = layout
    self.headerByteCount = headerByteCount
    self.metadata = metadata
    self.hasMetadata = hasMetadata
    self.origin = origin
  }

  /// The key of the skeleton in `__metadata__`.
  package static let skeletonKey = SkeletonWriter.metadataKey

  /// Whether the file has a skeleton, read or not.
  package var hasSkeleton: Bool { metadata.contains { $0.key == Self.skeletonKey } }
}

/// A safetensors file as a container.
extension SafetensorsDescription: ContainerDescription {
  /// `safetensors`.
  package var kind: String { "safetensors" }
  /// The name of the format.
  package var title: String { "safetensors" }
  /// The layout and metadata.
  package var facts: [ContainerFact] {
    [
      .init("layout", .text(layout.rawValue), "layout \(layout.rawValue)"),
      .init(
        "header_bytes", .number(headerByteCount), "header of \(ByteCount(bytes: headerByteCount))"),
      .metadata(metadata),
    ]
  }
  /// Safetensors.
  package var format: CheckpointFormat? { .safetensors }
  /// Whether a skeleton describes the object.
  package var holdsObject: Bool { hasSkeleton }
}

package import Graph

extension SafetensorsDescription {
  /// The key of `__metadata__` that the skeleton stands under.
  package static let skeletonKey = SkeletonWriter.metadataKey

  /// Whether the file has a skeleton, read or not.
  package var hasSkeleton: Bool { metadata.contains { $0.key == Self.skeletonKey } }
}

public import Graph

/// Everything about an output file except its bytes: which run of bytes comes from where.
///
/// A plan is made without touching tensor data, so the size of the output is known before a byte
/// moves. ``CopyEngine`` is what executes one.
public struct FilePlan: Sendable {
  /// The runs of bytes, in the order of the output.
  public private(set) var segments: [Segment]
  /// The size of the output in bytes.
  public private(set) var byteCount: Int
  /// Source regions whose checksum must hold although the output takes only a part of their bytes,
  /// or none.
  public private(set) var inspectedRegions: [FileRegion]

  /// An empty plan.
  public init() {
    segments = []
    byteCount = 0
    inspectedRegions = []
  }

  /// Adds a run of bytes to the end of the output.
  public mutating func append(_ segment: Segment) {
    byteCount += segment.byteCount
    segments.append(segment)
  }

  /// Asks for the checksum of `region` to be verified even if no segment copies all of it.
  public mutating func inspect(_ region: FileRegion) {
    inspectedRegions.append(region)
  }
}

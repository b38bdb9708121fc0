package import Graph
package import Plan

/// The bytes that a tensor stands for; equal values are the same bytes of the same files.
package struct TensorBytes: Hashable, Sendable {
  private struct Source: Hashable {
    var region: FileRegion.Identity
    var range: Range<Int>?
    var elements: StridedElements?
    var cast: ElementCast?
  }

  /// The packed elements as parts of a plan, one after the other.
  package let segments: [Segment]
  private let sources: [Source]

  /// The bytes of a tensor, or `nil` for one that has none.
  package init?(_ tensor: Tensor, of graph: TensorGraph) {
    segments = tensor.segments(from: graph)
    guard !segments.isEmpty else { return nil }
    var sources: [Source] = []
    for segment in segments {
      switch segment {
      case .copy(let region, let range):
        sources.append(Source(region: .init(region), range: range))
      case .gather(let region, let elements):
        sources.append(Source(region: .init(region), elements: elements))
      case .cast(let region, let elements, let cast):
        sources.append(Source(region: .init(region), elements: elements, cast: cast))
      case .literal, .computed, .zeros, .assembly: return nil
      }
    }
    self.sources = sources
  }

  /// Whether both are the same bytes of the same files.
  package static func == (left: TensorBytes, right: TensorBytes) -> Bool {
    left.sources == right.sources
  }

  /// Feeds the sources to `hasher`.
  package func hash(into hasher: inout Hasher) { hasher.combine(sources) }
}

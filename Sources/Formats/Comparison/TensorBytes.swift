package import Graph
package import Plan
internal import Safetensors

/// The bytes that a tensor stands for; equal values are the same bytes of the same file.
package struct TensorBytes: Hashable, Sendable {
  private struct Source: Hashable {
    var file: ObjectIdentifier
    var region: Range<Int>
    var range: Range<Int>?
    var elements: StridedElements?
  }

  /// The packed elements as a part of a plan.
  package let segment: Segment
  /// The region of a file they come from.
  package let region: FileRegion
  private let source: Source

  /// The bytes of a tensor, or `nil` for one that has none.
  package init?(_ tensor: Tensor, of graph: TensorGraph) {
    guard let segment = tensor.packed(from: graph) else { return nil }
    self.segment = segment
    switch segment {
    case .copy(let region, let range):
      self.region = region
      source = Source(file: .init(region.file), region: region.range, range: range)
    case .gather(let region, let elements):
      self.region = region
      source = Source(file: .init(region.file), region: region.range, elements: elements)
    case .literal, .computed, .zeros, .assembly: return nil
    }
  }

  /// Whether both are the same bytes of the same file.
  package static func == (left: TensorBytes, right: TensorBytes) -> Bool {
    left.source == right.source
  }

  /// Feeds the source to `hasher`.
  package func hash(into hasher: inout Hasher) { hasher.combine(source) }
}

/// Long strs and bytes that are keys, each looked at once.
///
/// A pickle names a long key again with two bytes, so to hash or compare it every time would take
/// the square of the file's length.
struct LongTexts {
  /// The longest text that may be looked at whenever it is a key, in bytes.
  private static let shortByteCount = 64

  private var firsts: [NodeID: NodeID] = [:]
  private var nodes: [ArraySlice<UInt8>: NodeID] = [:]

  /// The first node met that has the same bytes as `id`, or `nil` for a short text.
  mutating func first(like id: NodeID, _ run: ByteRun, in graph: TensorGraph) -> NodeID? {
    guard run.count > Self.shortByteCount else { return nil }
    if let known = firsts[id] { return known }
    let first = nodes[graph[run]] ?? id
    nodes[graph[run]] = first
    firsts[id] = first
    return first
  }
}

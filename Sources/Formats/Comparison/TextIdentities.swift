internal import Graph

/// Gives long texts of two graphs numbers, so that each is looked at once however often it is
/// compared.
///
/// A pickle names a long text again with two bytes; to compare it every time could take the square
/// of the file's length.
struct TextIdentities {
  /// The longest text that may be looked at every time, in bytes.
  static let shortByteCount = 64

  private var numbers: [ArraySlice<UInt8>: Int] = [:]
  private var known: [Side: [NodeID: Int]] = [:]

  /// One of the two graphs.
  enum Side: Hashable {
    /// The first graph.
    case first
    /// The second graph.
    case second
  }

  /// The number of the text at `id`, equal for equal texts, or `nil` for a short text.
  mutating func number(
    of id: NodeID, _ run: ByteRun, in graph: TensorGraph, _ side: Side
  ) -> Int? {
    guard run.count > Self.shortByteCount else { return nil }
    if let number = known[side]?[id] { return number }
    let number = numbers[graph[run]] ?? numbers.count
    numbers[graph[run]] = number
    known[side, default: [:]][id] = number
    return number
  }
}

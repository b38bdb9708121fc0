internal import Bytes
internal import Graph
internal import Pickle

/// Numbers keys, equal ones alike, so that a long key is kept once however many places it has.
struct KeyNumbers {
  private var known: [NodeID: Int] = [:]
  private var numbers: [[UInt8]: Int] = [:]
  /// How many bytes of pickled keys may still be looked at: some times what a file needs whose names
  /// spell each key out.
  private var budget: Int

  /// Numbers for the keys of a file whose header has `headerByteCount` bytes.
  init(headerByteCount: Int) { budget = 16 * headerByteCount + (1 << 16) }

  /// The number of a key.
  ///
  /// - Throws: `unsupported` for a key that OLMo's layout has no way to pickle, `limitExceeded` when
  ///   the names of a file refer to much longer keys than they have bytes.
  mutating func number(of key: NodeID, in graph: TensorGraph) throws(FormatError) -> Int {
    if let number = known[key] { return number }
    let pickle = try Pickler.pickle(key, of: graph, protocol: TensorNames.olmoProtocol)
    budget -= pickle.count
    guard budget >= 0 else {
      throw FormatError(
        .limitExceeded, "the keys in the names are far longer than the names",
        hint: "this is a file made to exhaust its readers")
    }
    let number = numbers[pickle] ?? numbers.count
    numbers[pickle] = number
    known[key] = number
    return number
  }
}

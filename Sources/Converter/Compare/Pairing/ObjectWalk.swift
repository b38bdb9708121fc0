internal import CkptGraph
internal import CkptSafetensors

/// Walks through two graphs side by side and records their differences.
///
/// The walk has its own stack, visits at most as many pairs as there are nodes, and follows cycles
/// once.
struct ObjectWalk {
  /// Two nodes in the same place.
  struct Pair {
    var first: NodeID
    var second: NodeID
    var place: NodePaths.Place
  }

  let first: TensorGraph
  let second: TensorGraph
  /// Whether identity and memory layout are ignored, because one side is a flat list of values.
  let isFlat: Bool
  /// Whether tensors of different dtypes are paired for a comparison of their elements.
  var pairsTypes = false
  /// The differences so far.
  var differences: DifferenceList
  /// The tensors whose bytes remain to be compared.
  var tensorPairs: [TensorPair] = []
  /// The bytes of ``tensorPairs``.
  var knownBytes: Set<TensorBytesPair> = []
  var texts = StringInterner()
  var trail: NodePaths
  var pending: [Pair] = []
  var storages: StoragePairing
  private var classes: EquivalenceClasses
  private var objects: IdentityPairing

  /// Creates a walk.
  init(_ first: TensorGraph, _ second: TensorGraph, isFlat: Bool, limit: Int) {
    self.first = first
    self.second = second
    self.isFlat = isFlat
    differences = DifferenceList(limit: limit)
    trail = NodePaths(first, second)
    storages = StoragePairing(first, second)
    classes = EquivalenceClasses(firstCount: first.nodeCount, secondCount: second.nodeCount)
    objects = IdentityPairing(firstCount: first.nodeCount, secondCount: second.nodeCount)
  }

  /// Compares everything that two nodes reach.
  mutating func compare(_ first: NodeID, _ second: NodeID) {
    pending.append(Pair(first: first, second: second, place: NodePaths.root))
    while let pair = pending.popLast() { compare(pair) }
  }

  private mutating func compare(_ pair: Pair) {
    switch (first[pair.first], second[pair.second]) {
    case (.none, .none): return
    case (.bool(let left), .bool(let right)): if left != right { note(.value, pair) }
    case (.int(let left), .int(let right)): if left != right { note(.value, pair) }
    case (.float(let left), .float(let right)):
      if left.bitPattern != right.bitPattern { note(left, right, pair) }
    case (.string(let left), .string(let right)), (.bytes(let left), .bytes(let right)),
      (.largeInt(let left), .largeInt(let right)):
      if !isSameText(pair.first, left, pair.second, right) { note(left, right, pair) }
    case (.byteArray(let left), .byteArray(let right)):
      guard enter(pair, hasIdentity: true) != nil else { return }
      if first[left] != second[right] { note(left, right, pair) }
    case (.tuple(let left), .tuple(let right)):
      if let step = enter(pair, hasIdentity: false) { compareItems(left, right, pair, step) }
    case (.list(let left), .list(let right)):
      if let step = enter(pair, hasIdentity: true) { compareItems(left, right, pair, step) }
    case (.dict(let left), .dict(let right)):
      if let step = enter(pair, hasIdentity: true) { compareEntries(left, right, pair, step) }
    case (.set(let left), .set(let right)):
      if let step = enter(pair, hasIdentity: true) { compareElements(left, right, step) }
    case (.frozenSet(let left), .frozenSet(let right)):
      if let step = enter(pair, hasIdentity: false) { compareElements(left, right, step) }
    case (.global, .global): if !isSameGlobal(pair.first, pair.second) { note(.value, pair) }
    case (.object(let left), .object(let right)):
      guard let step = enter(pair, hasIdentity: true) else { return }
      compare(first[left], second[right], pair, step)
    case (.tensor(let left), .tensor(let right)): compare(left, right, pair)
    default:
      guard let left = first.persistentID(pair.first), let right = second.persistentID(pair.second)
      else { return note(.type, pair) }
      compareStorages(left, right, pair)
    }
  }

  /// Visits two objects of one kind and assumes that they are equal until a difference is found.
  ///
  /// `hasIdentity` says whether a program can distinguish one object from two equal ones.
  ///
  /// - Returns: the number of the step to them, or `nil` if they need no visit.
  mutating func enter(_ pair: Pair, hasIdentity: Bool) -> Int32? {
    let (left, right) = (first.index(of: pair.first), second.index(of: pair.second))
    guard hasIdentity, !isFlat else {
      return classes.unite(left, right) ? trail.add(pair.place, to: pair.first) : nil
    }
    switch objects.match(left, right, at: trail.nextStep) {
    case .known: return nil
    case .new: break
    case .conflict(let left, let right):
      note(
        .sharing, pair, identity("the same object as", left), identity("the same object as", right))
    }
    let step = trail.add(pair.place, to: pair.first)
    return classes.unite(left, right) ? step : nil
  }

  /// Describes an object that is shared with another one, first found at the end of `step`.
  mutating func identity(_ words: String, _ step: Int32?) -> String {
    guard let step else { return "one of its own" }
    return "\(words) '\(trail.name(of: step))'"
  }
}

extension TensorGraph {
  /// Returns the persistent id of a storage that stands alone, even if it was read as a tensor of
  /// all its elements.
  fileprivate func persistentID(_ id: NodeID) -> NodeID? {
    switch self[id] {
    case .persistent(let value): return value
    case .tensor(let tensor):
      guard case .storage(let value) = self[tensor].origin else { return nil }
      return value
    default: return nil
    }
  }
}

/// The nodes of two graphs that count as equal so far.
///
/// A comparison of two graphs with shared nodes pair by pair could take the product of their sizes.
/// Two nodes that are equal to a third one need no visit (Hopcroft and Karp, "A linear algorithm
/// for testing equivalence of finite automata", 1971), so there are never more visits than nodes.
struct EquivalenceClasses {
  private var parents: [Int32]
  private let firstCount: Int

  /// Creates classes of one node each.
  init(firstCount: Int, secondCount: Int) {
    // This cannot overflow: `Limits.graphNodes` keeps both counts together far below `Int32.max`.
    parents = (0..<Int32(firstCount + secondCount)).map(\.self)
    self.firstCount = firstCount
  }

  /// Merges the classes of node `first` of the first graph and node `second` of the second.
  ///
  /// Returns whether they were different classes.
  mutating func unite(_ first: Int, _ second: Int) -> Bool {
    let (left, right) = (root(of: first), root(of: firstCount + second))
    guard left != right else { return false }
    // The lower number becomes the root; with halved paths any choice is nearly linear.
    parents[max(left, right)] = Int32(min(left, right))
    return true
  }

  private mutating func root(of node: Int) -> Int {
    var node = node
    while Int(parents[node]) != node {
      parents[node] = parents[Int(parents[node])]
      node = Int(parents[node])
    }
    return node
  }
}

/// Numbers the long texts of two graphs, so that each is compared once.
///
/// A pickle refers to a long text with two bytes. Comparing the text every time could take the
/// square of the file's length.
struct StringInterner {
  /// The maximum length of a text that is compared every time, in bytes.
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

  /// Returns the number of the text at `id`, equal for equal texts, or `nil` for a short text.
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

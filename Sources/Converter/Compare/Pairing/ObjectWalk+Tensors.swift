internal import CkptCopy
package import CkptGraph
package import CkptPlan

/// The bytes of two tensors to compare.
struct TensorBytesPair: Hashable {
  var first: TensorBytes
  var second: TensorBytes
}

/// Compares tensors and storages by their meaning, not by the spelling of their calls.
extension ObjectWalk {
  /// Compares tensors without their bytes, which are recorded for later.
  mutating func compare(_ left: TensorID, _ right: TensorID, _ pair: Pair) {
    let (leftTensor, rightTensor) = (first[left], second[right])
    let isFlat = isFlat || leftTensor.origin.isPlain || rightTensor.origin.isPlain
    guard let step = enter(pair, hasIdentity: !isFlat) else { return }
    let before = differences.count
    if leftTensor.dtype != rightTensor.dtype {
      note(.dtype, pair, leftTensor.dtype.name, rightTensor.dtype.name)
    }
    if leftTensor.shape != rightTensor.shape {
      note(.shape, pair, "\(leftTensor.shape)", "\(rightTensor.shape)")
    }
    let isComparable =
      pairsTypes && leftTensor.shape == rightTensor.shape
      && ElementComparison.areComparable(leftTensor.dtype, rightTensor.dtype)
    if differences.count == before || isComparable { noteBytes(left, right, pair) }
    guard !isFlat else { return }
    compareViews(leftTensor, rightTensor, pair)
    switch (leftTensor.storage, rightTensor.storage) {
    case (let left?, let right?): compare(left, right, pair, step)
    default: break
    }
    // The arguments of the calls repeat what was compared. They only matter if nothing else
    // differs.
    guard differences.count == before else { return }
    switch (leftTensor.origin, rightTensor.origin) {
    case (.call(let left), .call(let right)): compare(first[left], second[right], pair, step)
    case (.storage, .storage): return
    default: note(.type, pair, leftTensor.origin.words, rightTensor.origin.words)
    }
  }

  private mutating func compareViews(_ left: Tensor, _ right: Tensor, _ pair: Pair) {
    // Strides of tensors of different rank always differ.
    if left.shape.count == right.shape.count, left.strides != right.strides {
      note(.strides, pair, "\(left.strides)", "\(right.strides)")
    }
    if left.offset != right.offset { note(.offset, pair, "\(left.offset)", "\(right.offset)") }
    if left.requiresGradient != right.requiresGradient {
      note(.requiresGradient, pair, "\(left.requiresGradient)", "\(right.requiresGradient)")
    }
    if left.isConjugated != right.isConjugated || left.isNegated != right.isNegated {
      note(.sign, pair, left.lazySigns, right.lazySigns)
    }
  }

  private mutating func noteBytes(_ left: TensorID, _ right: TensorID, _ pair: Pair) {
    let bytes = (TensorBytes(first[left], of: first), TensorBytes(second[right], of: second))
    switch bytes {
    case (nil, nil): return
    case (let leftBytes?, let rightBytes?):
      guard knownBytes.insert(.init(first: leftBytes, second: rightBytes)).inserted else { return }
      tensorPairs.append(
        TensorPair(name: trail.name(of: pair.place, pair.first), first: left, second: right))
    default:
      note(.bytes, pair, bytes.0 == nil ? "no data" : "data", bytes.1 == nil ? "no data" : "data")
    }
  }

  // MARK: Storages

  /// Compares the storages of two persistent ids.
  mutating func compareStorages(_ left: NodeID, _ right: NodeID, _ pair: Pair) {
    guard let found = storages.storages(left, of: first, right, of: second) else {
      let place = NodePaths.Place(
        previous: trail.add(pair.place, to: pair.first), component: .arguments)
      return pending.append(Pair(first: left, second: right, place: place))
    }
    compare(found.first, found.second, pair, nil)
  }

  /// Checks that storages shared on one side are shared on the other.
  private mutating func compare(
    _ left: StorageID, _ right: StorageID, _ pair: Pair, _ step: Int32?
  ) {
    guard !isFlat else { return }
    let step = step ?? trail.add(pair.place, to: pair.first)
    switch storages.match(first.index(of: left), second.index(of: right), at: step) {
    case .known: return
    case .new:
      let locations = (first[left].location, second[right].location)
      if locations.0 != locations.1 { note(.device, pair, locations.0, locations.1) }
    case .conflict(let left, let right):
      note(
        .sharing, pair, identity("the storage of", left), identity("the storage of", right))
    }
  }
}

extension Tensor.Origin {
  /// Whether the file has no pickle.
  fileprivate var isPlain: Bool {
    if case .plain = self { true } else { false }
  }

  /// The noun for messages.
  fileprivate var words: String {
    switch self {
    case .plain: "a tensor"
    case .call: "a tensor"
    case .storage: "a storage"
    }
  }
}

extension Tensor {
  /// The lazy flags that are set.
  fileprivate var lazySigns: String {
    switch (isConjugated, isNegated) {
    case (false, false): "none"
    case (true, false): "conj"
    case (false, true): "neg"
    case (true, true): "conj and neg"
    }
  }
}

/// The bytes of a tensor; equal values are the same bytes of the same files.
package struct TensorBytes: Hashable, Sendable {
  private struct Source: Hashable {
    var region: FileRegion.Identity
    var range: Range<Int>?
    var elements: StridedElements?
    var cast: ElementCast?
    /// The piece of an assembly.
    var piece: PieceIdentity?
  }

  /// The packed elements as consecutive segments of a plan.
  package let segments: [Segment]
  private let sources: [Source]

  /// Creates the bytes of a tensor, or `nil` for a tensor without bytes.
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
      case .assembly(let assembly):
        for piece in assembly.pieces {
          sources.append(
            Source(region: .init(piece.region), cast: assembly.cast, piece: PieceIdentity(piece)))
        }
      case .literal, .computed, .zeros: return nil
      }
    }
    self.sources = sources
  }

  /// Whether both are the same bytes of the same files.
  package static func == (left: TensorBytes, right: TensorBytes) -> Bool {
    left.sources == right.sources
  }

  /// Hashes the sources.
  package func hash(into hasher: inout Hasher) { hasher.combine(sources) }
}

internal import CkptBase
internal import CkptCopy

/// Tells how far weights have moved from one checkpoint to the next, by their sketches.
struct WeightMoves: Sendable {
  /// A move of some weights.
  struct Move: Sendable {
    /// The distance from the checkpoint before; `nil` for the first one.
    var distance: Double? { squares.map { $0.squareRoot() } }
    /// The distance from the first checkpoint.
    var distanceFromFirst: Double? { squaresFromFirst.map { $0.squareRoot() } }
    /// The cosine of the angle between this move and the one before; `nil` where one is none.
    var turn: Double? {
      guard let product, let squares, let squaresBefore else { return nil }
      let sizes = (squares * squaresBefore).squareRoot()
      return sizes > 0 ? product / sizes : nil
    }

    private(set) var squares: Double?
    private var squaresFromFirst: Double?
    private var product: Double?
    private var squaresBefore: Double?

    init() {}

    /// The move of one tensor.
    init(_ weights: Sketch, previous: Sketch, first: Sketch?, before: Sketch?) {
      let move = weights - previous
      squares = move.product(move)
      if let first {
        let far = weights - first
        squaresFromFirst = far.product(far)
      }
      if let before {
        product = move.product(before)
        squaresBefore = before.product(before)
      }
    }

    /// Takes in the move of other tensors.
    mutating func add(_ other: Move) {
      squares = Self.sum(squares, other.squares)
      squaresFromFirst = Self.sum(squaresFromFirst, other.squaresFromFirst)
      product = Self.sum(product, other.product)
      squaresBefore = Self.sum(squaresBefore, other.squaresBefore)
    }

    private static func sum(_ first: Double?, _ second: Double?) -> Double? {
      guard let first, let second else { return first ?? second }
      return first + second
    }
  }

  /// The moves of a checkpoint's weights.
  struct Moves: Sendable {
    var total = Move()
    var byRole: [ParameterRole: Move] = [:]
  }

  /// The weights of the first checkpoint, by name.
  private var first: [ExactString: Sketch]?
  /// Those of the checkpoint before.
  private var previous: [ExactString: Sketch] = [:]
  /// The last move of each tensor.
  private var before: [ExactString: Sketch] = [:]

  /// Takes in the next checkpoint and returns how its weights have moved.
  mutating func add(_ checkpoint: CheckpointStatistics) -> Moves {
    var moves = Moves()
    var sketches: [ExactString: Sketch] = [:]
    var last: [ExactString: Sketch] = [:]
    for tensor in checkpoint.weights {
      guard let sketch = tensor.statistics.sketch else { continue }
      let name = ExactString(tensor.name)
      sketches[name] = sketch
      guard let earlier = previous[name] else { continue }
      let move = Move(sketch, previous: earlier, first: first?[name], before: before[name])
      last[name] = sketch - earlier
      moves.total.add(move)
      moves.byRole[tensor.role, default: Move()].add(move)
    }
    first = first ?? sketches
    previous = sketches
    before = last
    return moves
  }
}

/// The sketches of all checkpoints of a run in single precision, and the angles between them.
struct SketchSimilarities: Sendable {
  /// For each checkpoint the sums of its tensors, those of each tensor at the same place.
  private var sketches: [[SIMD8<Float>]] = []

  private static let lanes = 8
  private static var vectorsPerTensor: Int { Sketch.count / lanes }

  /// Takes in the weights of a checkpoint that `history` has taken in, whose tensors have their places
  /// there.
  mutating func add(_ checkpoint: CheckpointStatistics, _ history: TensorHistory) {
    var vectors = [SIMD8<Float>](
      repeating: SIMD8(), count: history.tensors.count * Self.vectorsPerTensor)
    for tensor in checkpoint.weights {
      guard let sketch = tensor.statistics.sketch, let place = history.place(of: tensor.name)
      else { continue }
      let start = place * Self.vectorsPerTensor
      for (index, sum) in sketch.sums.enumerated() {
        vectors[start + index / Self.lanes][index % Self.lanes] = Float(sum)
      }
    }
    sketches.append(vectors)
  }

  /// The inner products of all pairs of checkpoints.
  var products: [[Double]] {
    var products = [[Double]](
      repeating: [Double](repeating: 0, count: sketches.count), count: sketches.count)
    for row in sketches.indices {
      for column in 0...row {
        let product = Self.product(sketches[row], sketches[column])
        products[row][column] = product
        products[column][row] = product
      }
    }
    return products
  }

  /// The cosines of the angles between the weights of all pairs of checkpoints; 0 where one has none.
  var cosines: [[Double]] {
    let products = products
    return products.indices.map { row in
      products.indices.map { column in
        let sizes = (products[row][row] * products[column][column]).squareRoot()
        return sizes > 0 ? products[row][column] / sizes : 0
      }
    }
  }

  private static func product(_ first: [SIMD8<Float>], _ second: [SIMD8<Float>]) -> Double {
    var total = 0.0
    // Tensors that came later have places behind those of the others.
    let count = min(first.count, second.count)
    for start in stride(from: 0, to: count, by: vectorsPerTensor) {
      var sum = SIMD8<Float>()
      for index in start..<start + vectorsPerTensor { sum += first[index] * second[index] }
      total += Double(sum.sum())
    }
    return total
  }
}

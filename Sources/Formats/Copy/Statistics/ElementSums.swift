/// Sums over elements that can be put together with those over the elements that follow.
protocol Mergeable {
  /// Takes in the sums over the elements that follow these.
  mutating func merge(_ next: Self)
}

/// Sums over blocks, merged as a binary tree over the numbers of the blocks.
///
/// Rounding errors grow with the depth of the tree and not with the number of blocks, and the order
/// of additions depends on nothing but that number.
struct BlockTree<Sums: Mergeable & Sendable>: Sendable {
  /// The sums over runs of blocks, each with the height of its tree; the heights decrease.
  private var open: [(height: Int, sums: Sums)] = []

  /// Adds the next block.
  mutating func append(_ sums: Sums) {
    open.append((0, sums))
    while open.count > 1, open[open.count - 2].height == open[open.count - 1].height {
      mergeLast()
      open[open.count - 1].height += 1
    }
  }

  /// The sums over all blocks; `nil` without any.
  consuming func finish() -> Sums? {
    while open.count > 1 { mergeLast() }
    return open.first?.sums
  }

  private mutating func mergeLast() {
    let last = open.removeLast()
    open[open.count - 1].sums.merge(last.sums)
  }
}

/// The sums over finite elements that moments and norms follow from.
struct ElementSums: Mergeable, Hashable {
  var count = 0
  var mean = 0.0
  /// The sum of the squared distances from the mean.
  var second = 0.0
  /// The sum of the third powers of the distances.
  var third = 0.0
  /// The sum of the fourth powers.
  var fourth = 0.0
  /// The sum of the absolute values.
  var magnitude = 0.0
  /// The sum of the squares.
  var squares = 0.0
  var minimum = Double.infinity
  var maximum = -Double.infinity
  /// The smallest absolute value that is not zero; infinite without any.
  var smallest = Double.infinity

  /// The formulas of Pébay, "Formulas for robust, one-pass parallel computation of covariances and
  /// arbitrary-order statistical moments" (2008).
  mutating func merge(_ next: ElementSums) {
    guard count > 0, next.count > 0 else {
      if count == 0 { self = next }
      return
    }
    let (left, right) = (Double(count), Double(next.count))
    let all = left + right
    let distance = next.mean - mean
    let share = distance / all
    let product = left * right
    fourth +=
      next.fourth
      + share * share * share * distance * product * (left * left - product + right * right)
      + 6 * share * share * (left * left * next.second + right * right * second)
      + 4 * share * (left * next.third - right * third)
    third +=
      next.third + share * share * distance * product * (left - right)
      + 3 * share * (left * next.second - right * second)
    second += next.second + share * distance * product
    mean += share * right
    count += next.count
    magnitude += next.magnitude
    squares += next.squares
    minimum = min(minimum, next.minimum)
    maximum = max(maximum, next.maximum)
    smallest = min(smallest, next.smallest)
  }
}

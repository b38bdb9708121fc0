/// Finds the word that a mistyped one was meant to be.
enum Suggestion {
  /// The name nearest to `text`, or `nil` when none is near enough to be a typing mistake.
  static func closest(to text: String, among names: [String]) -> String? {
    let nearest =
      names
      .map { (name: $0, distance: distance(Array(text), Array($0))) }
      .min { $0.distance < $1.distance }
    if let nearest, nearest.distance <= max(1, text.count / 3) { return nearest.name }
    return names.first { text.count >= 3 && $0.hasPrefix(text) }
  }

  /// How many insertions, deletions, replacements and swaps of neighbours turn one text into the
  /// other (the optimal string alignment distance).
  static func distance(_ from: [Character], _ to: [Character]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...to.count)
    for (row, character) in from.enumerated() {
      var current = [row + 1]
      for (column, other) in to.enumerated() {
        var best = min(
          last[column + 1] + 1, current[column] + 1, last[column] + (character == other ? 0 : 1))
        if row > 0, column > 0, character == to[column - 1], from[row - 1] == other {
          best = min(best, beforeLast[column - 1] + 1)
        }
        current.append(best)
      }
      (beforeLast, last) = (last, current)
    }
    return last[to.count]
  }
}

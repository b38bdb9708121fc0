/// Which object of one graph stands where which object of the other does: one for one, if both
/// graphs share alike.
struct Partners {
  /// What two objects that stand in the same place were before.
  enum Meeting {
    /// Neither was met before.
    case new
    /// They were met together.
    case known
    /// At least one was met with another; each with the number of the step that first led to it.
    case conflict(first: Int32?, second: Int32?)
  }

  private static let unmet: Int32 = -1

  private var firstSteps: [Int32]
  private var secondSteps: [Int32]

  /// Partners for so many objects of which none has been met.
  init(firstCount: Int, secondCount: Int) {
    firstSteps = Array(repeating: Self.unmet, count: firstCount)
    secondSteps = Array(repeating: Self.unmet, count: secondCount)
  }

  /// Notes that step number `step` leads to both objects.
  mutating func meet(_ first: Int, _ second: Int, at step: Int32) -> Meeting {
    let (left, right) = (firstSteps[first], secondSteps[second])
    if left == Self.unmet, right == Self.unmet {
      firstSteps[first] = step
      secondSteps[second] = step
      return .new
    }
    if left == right { return .known }
    return .conflict(
      first: left == Self.unmet ? nil : left, second: right == Self.unmet ? nil : right)
  }
}

internal import CkptBase
public import CkptCheck
internal import CkptJSON

/// Something that the statistics of a checkpoint, or of a run, show.
public struct StatisticsFinding: Hashable, Sendable {
  /// The rules by which numbers are judged, as reports and scripts name them.
  public enum Rule: String, Hashable, Sendable, CaseIterable {
    /// Elements are NaN or infinite.
    case notFinite = "not-finite"
    /// The two moments of a parameter cannot be of one run.
    case momentsDisagree = "moments-disagree"
    /// Squares of gradients have become zero.
    case secondMomentVanished = "second-moment-vanished"
    /// Epsilon is larger than the roots of second moments.
    case epsilon
    /// Updates are much smaller or larger than usual.
    case updateSize = "update-size"
    /// One update changes a large part of the weights.
    case relativeUpdate = "relative-update"
    /// Gradients have grown since the checkpoints before.
    case gradientJump = "gradient-jump"
    /// Weights have grown since the checkpoint before.
    case weightsJump = "weights-jump"
    /// Rows of the embedding get no updates.
    case rows
    /// A tensor has not changed.
    case frozen
    /// Elements are as large as their type allows.
    case saturated
    /// A few weights are far larger than the others.
    case outliers
    /// Nearly every gradient is clipped.
    case alwaysClipped = "always-clipped"
  }

  /// The number that a rule looks at.
  public enum Value: Hashable, Sendable {
    /// A count or a step.
    case count(Int)
    /// A size, a share or a ratio.
    case number(Double)
    /// Rows without update: how many, how many of them belong to known tokens, and which.
    case rows(count: Int, inVocabulary: Int, ranges: [ClosedRange<Int>])
  }

  /// The severity.
  public var severity: Finding.Severity
  /// The rule.
  public var rule: Rule
  /// The first step at which it holds.
  public var step: Int?
  /// The checkpoint of that step.
  public var path: String
  /// The tensor, or the role of tensors for ``Rule/weightsJump``; `nil` for the whole model.
  public var tensor: String?
  /// The number that was found.
  public var value: Value
  /// The value from which the rule holds, where it is a number.
  public var threshold: Double?
  /// A sentence without capital and full stop: the number, and what it means.
  public var message: String

  /// The finding in one line, behind its severity.
  public var line: String {
    [step.map { "step \($0)" } ?? path, tensor, message].compactMap(\.self).joined(separator: ": ")
  }

  /// Writes the finding as an object.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("severity", severity.rawValue)
    json.member("rule", rule.rawValue)
    json.member("step", optional: step)
    json.member("path", path)
    json.member("tensor", tensor)
    json.key("value")
    value.write(to: &json)
    json.member("threshold", optional: threshold)
    json.member("message", message)
    json.endObject()
  }
}

extension StatisticsFinding.Value {
  fileprivate func write(to json: inout JSONWriter) {
    switch self {
    case .count(let count): json.integer(count)
    case .number(let number): json.anyNumber(number)
    case .rows(let count, let inVocabulary, let ranges):
      json.beginObject()
      json.member("rows", count)
      json.member("in_vocabulary", inVocabulary)
      json.member("ranges", ranges)
      json.endObject()
    }
  }
}

extension JSONWriter {
  /// Writes a member whose value is an array of pairs: the first and the last number of each range.
  mutating func member(_ name: String, _ ranges: [ClosedRange<Int>]) {
    key(name)
    beginArray()
    for range in ranges {
      beginArray()
      integer(range.lowerBound)
      integer(range.upperBound)
      endArray()
    }
    endArray()
  }
}

/// A tensor of OLMo's model and the tensors of Hugging Face's model that its rows are.
public struct Correspondence: Hashable, Sendable {
  /// How the two sides hold the same numbers.
  public enum Relation: Hashable, Sendable {
    /// Hugging Face's tensors below each other are OLMo's.
    case rows
    /// OLMo's norm has no weights, and Hugging Face's tensor is all ones.
    case ones
  }

  /// OLMo's tensor; where its norm has no weights, the tensor that it would be.
  public var olmo: ExpectedTensor
  /// Hugging Face's tensors, that of the first rows first.
  public var parts: [ExpectedTensor]
  /// How they belong together.
  public var relation: Relation

  /// The rows of OLMo's tensor that each part is.
  public var rowRanges: [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start = 0
    for part in parts {
      ranges.append(start..<start + part.shape[0])
      start += part.shape[0]
    }
    return ranges
  }
}

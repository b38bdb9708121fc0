import CkptBase
import CkptModels
import Testing

struct TokenizerFileTests {
  static let sizes: [(String, Int)] = [
    ("{}", 0), (#"{"model": {"type": "BPE", "vocab": {"a": 0, "b": 6, "c": 1}}}"#, 7),
    (#"{"added_tokens": [{"id": 9, "content": "x"}], "model": {"vocab": {"a": 0}}}"#, 10),
    (#"{"model": {"vocab": [["a", -1.5], ["b", -2]], "merges": []}, "added_tokens": []}"#, 2),
  ]

  @Test("The vocabulary ends after the largest token", arguments: sizes)
  func size(text: String, expected: Int) throws {
    #expect(try TokenizerFile(reading: Array(text.utf8)).vocabularySize == expected)
  }

  @Test(
    "What is no tokenizer is refused",
    arguments: [
      "", "[]", #"{"model": 1}"#, #"{"model": {"vocab": {"a": -1}}}"#,
      #"{"model": {"vocab": {"a": 99999999999}}}"#, #"{"added_tokens": [{"id": "x"}]}"#,
      #"{"added_tokens": [1]}"#, #"{"model": {"vocab": {"a": 0}"#,
    ])
  func refuses(text: String) {
    #expect(throws: CheckpointError.self) { try TokenizerFile(reading: Array(text.utf8)) }
  }
}

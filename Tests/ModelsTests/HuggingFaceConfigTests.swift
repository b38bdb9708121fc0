import CkptBase
import CkptModels
import Testing
import CkptYAML

struct HuggingFaceConfigTests {
  private static let text = """
    {
      "b": 1,
      "a": [
        1.5,
        "\\u00e9\\"",
        [],
        {}
      ],
      "nothing": null,
      "deep": {
        "rope_theta": 1e-05,
        "yes": true
      }
    }

    """

  @Test("A text in the layout of transformers returns as it was, in its order")
  func layout() throws {
    let config = try HuggingFaceConfig(reading: Array(Self.text.utf8))
    #expect(config["b"]?.scalar == .integer(1))
    #expect(config["deep"]?.mapping?["rope_theta"]?.scalar == .number(1e-5))
    #expect(try String(decoding: config.text(), as: UTF8.self) == Self.text)
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let code: CheckpointError.Code
    init(_ name: String, _ text: String, _ code: CheckpointError.Code = .malformed) {
      testDescription = name
      self.text = text
      self.code = code
    }
  }

  static let faults = [
    Fault("nothing", ""), Fault("no object", "[1]"), Fault("an open object", #"{"a": 1"#),
    Fault("text after the object", "{} {}"), Fault("a name twice", #"{"a": 1, "b": {}, "a": 2}"#),
    Fault("a name twice inside", #"{"a": [{"b": 1, "b": 2}]}"#), Fault("NaN", #"{"a": NaN}"#),
    Fault("a comma too many", #"{"a": [1,]}"#), Fault("no value", #"{"a": }"#),
    Fault("a number beyond all bounds", #"{"a": 1e999}"#, .limitExceeded),
    Fault("an integer of 70 bits", #"{"a": 999999999999999999999}"#),
    Fault("too deep", #"{"a": "# + String(repeating: "[", count: 100_000), .limitExceeded),
    Fault(
      "too many values",
      #"{"a": ["# + String(repeating: "1,", count: YAMLLimits.nodes) + "1]}", .limitExceeded),
  ]

  @Test("Faults are refused", arguments: faults)
  func refuses(_ fault: Fault) {
    let error = #expect(throws: CheckpointError.self) {
      try HuggingFaceConfig(reading: Array(fault.text.utf8))
    }
    #expect(error?.code == fault.code)
  }

  @Test("A text cut anywhere is refused")
  func cuts() {
    let bytes = Array(Self.text.utf8).dropLast(2)
    for count in 0..<bytes.count {
      #expect(throws: CheckpointError.self) {
        try HuggingFaceConfig(reading: Array(bytes[..<count]))
      }
    }
  }

  @Test("A missing file is an input/output error with its path")
  func missing() {
    let error = #expect(throws: CheckpointError.self) {
      try HuggingFaceConfig(path: "/nonexistent/config.json")
    }
    #expect(error?.code == .inputOutput)
    #expect(error?.path == ["/nonexistent/config.json"])
  }
}

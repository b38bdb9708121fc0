import CkptBase
import CkptCopy
import CkptModels
import CkptTestSupport
import Testing

@testable import CkptConvert

@Suite("A configuration is found, translated and written to its place")
struct ConfigTranslationTests {
  private static let olmo = """
    model:
      d_model: 64
      n_heads: 4
      n_layers: 2
      mlp_ratio: 8
      rope: true
      include_bias: false
      layer_norm_type: rms
      attention_layer_norm: true
      norm_after: true
      weight_tying: false
      max_sequence_length: 64
      vocab_size: 4000
      embedding_size: 4096
      eos_token_id: 3998
      pad_token_id: 3999
    """

  private static func huggingFace() throws -> [UInt8] {
    try HuggingFaceTranslation(OLMoConfig(reading: Array(olmo.utf8))).config.text()
  }

  private static func tree() throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for folder in ["run", "hf", "both", "empty"] {
      _ = try Syscalls.makeDirectories(directory / folder)
    }
    for name in ["run/config.yaml", "both/config.yaml"] {
      try directory.write(Array(olmo.utf8), to: name)
    }
    for name in ["hf/config.json", "both/config.json"] {
      try directory.write(huggingFace(), to: name)
    }
    return directory
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let input: String
    var target: ConfigTranslation.Target?
    /// The path that was given; `nil` for beside the input, `-` for the standard output.
    var output: String?
    let files: [String]
    var testDescription: String { "\(input) to \(output ?? "its place")" }
  }

  static let cases = [
    Case(input: "run", files: ["run/config.json", "run/generation_config.json"]),
    Case(
      input: "run/config.yaml", output: "new",
      files: ["new/config.json", "new/generation_config.json"]),
    Case(
      input: "run", output: "other.json", files: ["other.json", "generation_config.json"]),
    Case(input: "run", output: "-", files: ["-"]),
    Case(input: "hf", files: ["hf/config.yaml"]),
    Case(input: "hf", output: "new", files: ["new/config.yaml"]),
    Case(input: "hf/config.json", output: "a.yml", files: ["a.yml"]),
    Case(input: "both", target: .olmo, output: "new", files: ["new/config.yaml"]),
    Case(
      input: "both", target: .huggingFace, output: "new",
      files: ["new/config.json", "new/generation_config.json"]),
  ]

  @Test("Files are written where they belong, and nothing else is", arguments: cases)
  func writes(_ test: Case) throws {
    let directory = try Self.tree()
    let destination: Destination =
      switch test.output {
      case nil: .besideInput
      case "-": .standardOutput
      case let path?: .path(directory / path)
      }
    let translation = try ConfigTranslation(
      of: directory / test.input, to: test.target, into: destination)
    #expect(translation.architecture == .olmo2)
    #expect(
      translation.files.map(\.path) == test.files.map { $0 == "-" ? $0 : directory / $0 })
    guard test.output != "-" else { return }
    try translation.write()
    for (file, name) in zip(translation.files, test.files) {
      #expect(directory.bytes(of: name) == file.text)
    }
  }

  @Test("A translation there and back keeps the model")
  func returns() throws {
    let directory = try Self.tree()
    let back = try ConfigTranslation(of: directory / "hf", into: .standardOutput)
    let config = try OLMoConfig(reading: #require(back.files.first).text)
    let again = try HuggingFaceTranslation(config).config.text()
    #expect(try again == Self.huggingFace())
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let input: String
    var target: ConfigTranslation.Target?
    var template: String?
    let code: CheckpointError.Code
    let message: String
  }

  static let refusals = [
    Refusal(
      testDescription: "nothing", input: "none", code: .inputOutput, message: "no such file"),
    Refusal(
      testDescription: "a directory without one", input: "empty", code: .unsupported,
      message: "has no config.yaml or config.json"),
    Refusal(
      testDescription: "a directory with both", input: "both", code: .unsupported,
      message: "has both a config.yaml and a config.json"),
    Refusal(
      testDescription: "the very side that is asked for", input: "run/config.yaml", target: .olmo,
      code: .unsupported, message: "this is already an OLMo configuration"),
    Refusal(
      testDescription: "a template for the wrong way", input: "run", template: "run/config.yaml",
      code: .unsupported, message: "a template applies only to translations to OLMo"),
  ]

  @Test("What cannot be translated is refused", arguments: refusals)
  func refuses(_ test: Refusal) throws {
    let directory = try Self.tree()
    var options = ConfigTranslation.Options()
    options.template = test.template.map { directory / $0 }
    let error = try #require(throws: CheckpointError.self) {
      _ = try ConfigTranslation(
        of: directory / test.input, to: test.target, into: .besideInput, options)
    }
    #expect(error.code == test.code)
    #expect(error.message.contains(test.message))
  }

  @Test("A file that exists is replaced only if that is wanted, and then none of two is left out")
  func replaces() throws {
    let directory = try Self.tree()
    try directory.write([1], to: "run/generation_config.json")
    var options = ConfigTranslation.Options()
    let translation = try ConfigTranslation(of: directory / "run", into: .besideInput, options)
    let error = #expect(throws: CheckpointError.self) { try translation.write() }
    #expect(error?.code == .inputOutput)
    #expect(directory.bytes(of: "run/config.json") == nil)
    #expect(directory.bytes(of: "run/generation_config.json") == [1])
    options.writing.replacesExisting = true
    try ConfigTranslation(of: directory / "run", into: .besideInput, options).write()
    #expect(directory.bytes(of: "run/config.json") != nil)
    #expect(directory.bytes(of: "run/generation_config.json") != [1])
  }
}

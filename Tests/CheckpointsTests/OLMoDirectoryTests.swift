import CkptBase
import CkptCheckpoints
import CkptSkeleton
import CkptTestSupport
import Testing

@Suite("A directory is one of OLMo's by its configuration")
struct OLMoDirectoryTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let configuration: String?
    let isCheckpoint: Bool
  }

  static let cases = [
    Case(testDescription: "no configuration", configuration: nil, isCheckpoint: false),
    Case(
      testDescription: "a model section", configuration: "a: 1\nmodel:\n  d_model: 1\n",
      isCheckpoint: true),
    Case(testDescription: "no model section", configuration: "a: 1\n", isCheckpoint: false),
    Case(
      testDescription: "a section of that name further in", configuration: "a:\n  model:\n",
      isCheckpoint: false),
  ]

  @Test("Tensors are named as the trainer does where it is, unless chosen", arguments: cases)
  func layout(_ test: Case) throws {
    let directory = try TemporaryDirectory()
    if let text = test.configuration { try directory.write(Array(text.utf8), to: "config.yaml") }
    let place = FilePath(directory.path)
    #expect(try OLMoDirectory.isCheckpoint(place) == test.isCheckpoint)
    #expect(try OLMoDirectory.layout(nil, in: place) == (test.isCheckpoint ? .olmo : .plain))
    for layout in [Layout.plain, .olmo] {
      #expect(try OLMoDirectory.layout(layout, in: place) == layout)
    }
  }

  @Test("Files are in the order in which the trainer looks for them")
  func order() throws {
    let directory = try TemporaryDirectory()
    for name in ["train.pt", "optim.pt", "model.pt", "model.safetensors", "other.pt"] {
      try directory.write([0], to: name)
    }
    let place = FilePath(directory.path)
    #expect(
      try OLMoDirectory.files(of: place).map { FilePath($0).name }
        == ["model.safetensors", "model.pt", "optim.pt", "train.pt"])
    #expect(try OLMoDirectory.file(of: "model", in: place) == directory / "model.safetensors")
    #expect(try OLMoDirectory.file(of: "none", in: place) == nil)
    #expect(OLMoDirectory.isStateName("optim.safetensors"))
    #expect(!OLMoDirectory.isStateName("other.safetensors"))
  }
}

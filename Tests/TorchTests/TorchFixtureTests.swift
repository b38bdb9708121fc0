import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing
import CkptTorch

/// Archives that PyTorch itself wrote, version by version.
struct TorchFixtureTests {
  struct Case: CustomTestStringConvertible {
    var file: String
    var prefix: String
    var writer: String
    var isTorchScript = false
    var testDescription: String { file }
  }

  static let cases = [
    Case(
      file: "torch-corpus/torch-1.6.0/dotted.name.v1.pt", prefix: "archive",
      writer: "torch 1.6 to 2.0"),
    Case(
      file: "torch-corpus/torch-1.13.1/module_state_dict.pt", prefix: "module_state_dict",
      writer: "torch 1.6 to 2.0"),
    Case(
      file: "torch-corpus/torch-2.4.1/module_state_dict.pt", prefix: "module_state_dict",
      writer: "torch 2.1 to 2.6"),
    Case(
      file: "torch-corpus/torch-2.13.0/module_state_dict.pt", prefix: "module_state_dict",
      writer: "torch 2.7 or later"),
    Case(
      file: "torch-corpus/torch-2.13.0/dotted.name.v1.pt", prefix: "archive",
      writer: "torch 2.7 or later"),
    Case(
      file: "torch-corpus/torch-2.4.1/torchscript.pt", prefix: "torchscript",
      writer: "torch 2.1 to 2.6", isTorchScript: true),
    Case(
      file: "plain/ddp-imagenet-style.pth.tar", prefix: "ddp-imagenet-style.pth",
      writer: "torch 2.7 or later"),
    Case(
      file: "olmo2-fsdp/step6-unsharded/model.pt", prefix: "model", writer: "torch 2.1 to 2.6"),
  ]

  @Test("An archive tells the versions of its writer", arguments: cases)
  func facts(_ test: Case) throws {
    let checkpoint = try TorchReader.read(Fixture.open(test.file))
    let description = try #require(checkpoint.archive)
    #expect(description.prefix == test.prefix)
    #expect(description.writer == test.writer)
    #expect((description.archiveFormat == .torchScript) == test.isTorchScript)
    #expect(description.alignment == 64)
    #expect(description.pickleProtocol == 2)
    #expect(description.hasChecksums)
    #expect(!description.isBigEndian)
    #expect(checkpoint.warnings == [])
  }

  @Test("The protocol is the one of the pickle", arguments: [3, 4, 5])
  func pickleProtocol(_ version: Int) throws {
    let file = try Fixture.open("torch-corpus/torch-2.13.0/proto\(version).pt")
    let description = try #require(TorchReader.read(file).archive)
    #expect(description.pickleProtocol == version)
  }
}

import CkptBase
import CkptContainer
import CkptGraph
import CkptTestSupport
import Testing

@testable import CkptTorch

/// Archives that were cut off, whose whole size is to be told from what is left.
struct CutArchiveTests {
  @Test(
    "What is left of an archive tells its whole size",
    arguments: [
      "torch-corpus/torch-1.6.0/module_state_dict.pt",
      "torch-corpus/torch-1.13.1/module_state_dict.pt",
      "torch-corpus/torch-2.4.1/module_state_dict.pt",
      "torch-corpus/torch-2.13.0/module_state_dict.pt",
      "torch-corpus/torch-2.13.0/proto5.pt",
      "olmo2-fsdp/step6-unsharded/optim.pt",
      "olmo1-lionw/step12-unsharded/model.pt",
    ])
  func tellsSize(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    for missing in [1, 100, bytes.count / 10] {
      let cut = try TruncatedArchive(TemporaryFile.holding(Array(bytes.dropLast(missing))))
      #expect(cut?.byteCount == bytes.count, "\(missing) bytes are missing")
    }
  }

  @Test("The error counts the bytes that are there and those that are missing")
  func countsBytes() throws {
    let bytes = try Fixture.bytes("plain/views.pt")
    let file = try TemporaryFile.holding(Array(bytes.dropLast(12)))
    let error = try #require(try TruncatedArchive(file)).error(readFrom: file)
    #expect(error.code == .truncated)
    #expect(
      error.message
        == "this archive is truncated: it has \(bytes.count - 12) of \(bytes.count) bytes, "
        + "12 are missing")
  }

  @Test(
    "No size is told where the pickle or the record behind it is cut, or torch did not write it")
  func staysSilent() throws {
    let bytes = try Fixture.bytes("plain/views.pt")
    let pickle = try TorchReader.read(Fixture.open("plain/views.pt")).archive?.pickleBytes
    let pickleEnd = 64 + (try #require(pickle).count)
    for count in [0, 3, 29, 40, 64, 200, pickleEnd - 1, pickleEnd + 20] {
      let cut = try TruncatedArchive(TemporaryFile.holding(Array(bytes.prefix(count))))
      #expect(cut == nil, "\(count) bytes are left")
    }
    var other = bytes
    other.replaceSubrange(64..<66, with: [0x50, 0x51])
    #expect(try TruncatedArchive(TemporaryFile.holding(other)) == nil)
  }

  @Test("A file that is longer than its pickle says is not called cut")
  func acceptsWhole() throws {
    #expect(try TruncatedArchive(Fixture.open("plain/views.pt")) == nil)
  }
}

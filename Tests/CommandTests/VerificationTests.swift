import Foundation
import Testing

@Suite("verify and roundtrip say what is the same and what differs")
struct VerificationTests {
  static let cases = [
    SessionCase("same", of: "verify", "step6 out", exit: 0),
    SessionCase("same-file", of: "verify", "step6/optim.pt out/optim.safetensors", exit: 0),
    SessionCase("same-by-name", of: "verify", "model.pt plain.safetensors", exit: 0),
    SessionCase("file-and-directory", of: "verify", "out/model.safetensors step6", exit: 0),
    SessionCase("file-of-other-name", of: "verify", "model.pt small", exit: 65),
    SessionCase("different", of: "verify", "step6 other", exit: 1),
    SessionCase("different-json", of: "verify", "--json step6/train.pt other/train.pt", exit: 1),
    SessionCase("different-quiet", of: "verify", "-q step6 other", exit: 1),
    SessionCase("missing", of: "verify", "step6 missing", exit: 74),
    SessionCase("cut", of: "verify", "cut.pt step6/model.pt", exit: 65),
    SessionCase("one", of: "verify", "step6", exit: 64),
    SessionCase(
      "manifest", of: "verify", "--manifest new.json step6", exit: 0, appears: "new.json"),
    SessionCase("manifest-existing", of: "verify", "--manifest made.json step6", exit: 74),
    SessionCase(
      "manifest-of-itself", of: "verify", "--manifest step6/model.pt --force step6", exit: 65),
    SessionCase("force-alone", of: "verify", "--force step6 out", exit: 64),
    SessionCase("against", of: "verify", "--against made.json out", exit: 0),
    SessionCase("against-file", of: "verify", "--against made.json out/optim.safetensors", exit: 0),
    SessionCase("against-different", of: "verify", "--against made.json other", exit: 1),
    SessionCase("directory", of: "roundtrip", "step6", exit: 0),
    SessionCase("back", of: "roundtrip", "out", exit: 0),
    SessionCase("lost", of: "roundtrip", "views.pt", exit: 1),
    SessionCase("several-json", of: "roundtrip", "--json model.pt cut.pt --layout olmo", exit: 65),
    SessionCase("missing", of: "roundtrip", "missing.pt", exit: 74),
    SessionCase("against-nothing", of: "verify", "--against step6/config.yaml out", exit: 65),
  ]

  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "step6")
    try workspace.copy("olmo1-lionw-fsdp/step6-unsharded", as: "other")
    try workspace.copy("plain/state_dict-tied.pt", as: "model.pt")
    try workspace.copy("plain/views.pt", as: "views.pt")
    try workspace.copy("plain/opt-sgd.pt", as: "small/optim.pt")
    try workspace.copy("plain/opt-sgd.pt", as: "small/train.pt")
    try workspace.write(workspace.bytes("model.pt").prefix(5000), to: "cut.pt")
    for arguments in [
      ["pt-to-safetensors", "step6", "-o", "out"],
      ["pt-to-safetensors", "--no-skeleton", "model.pt", "-o", "plain.safetensors"],
      ["verify", "--manifest", "made.json", "step6"],
    ] {
      #expect(try workspace.run(arguments).exitCode == 0)
    }
    return workspace
  }

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func verifies(_ test: SessionCase) throws {
    let workspace = try Self.workspace()
    try test.run(in: workspace)
  }
}

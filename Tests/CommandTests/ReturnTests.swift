import Foundation
import Testing

@Suite("safetensors-to-pt brings back what left, and follows what was changed since")
struct ReturnTests {
  /// A safetensors file of one tensor `a.b` and no skeleton, as any program might have written it.
  private static let foreign = Data(
    [0x40, 0, 0, 0, 0, 0, 0, 0]
      + #"{"a.b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#.utf8
      + [UInt8](repeating: 0x20, count: 8) + [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])

  private static func workspace() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "step6")
    try workspace.copy("plain/state_dict-tied.pt", as: "model.pt")
    try workspace.copy("plain/views.pt", as: "views.pt")
    try workspace.write(foreign, to: "foreign.safetensors")
    for arguments in [
      ["step6", "-o", "there"], ["model.pt", "-o", "tied.safetensors"],
      ["views.pt", "-o", "views.safetensors"],
    ] {
      #expect(try workspace.run(["pt-to-safetensors", "-q"] + arguments).exitCode == 0)
    }
    let whole = try workspace.bytes("there/model.safetensors")
    try workspace.write(whole.dropLast(), to: "cut.safetensors")
    return workspace
  }

  static let cases = [
    SessionCase(
      "directory", of: "safetensors-to-pt", "there -o back", exit: 0, appears: "back/",
      "back/config.yaml",
      "back/model.pt", "back/optim.pt", "back/train.pt"),
    SessionCase("file", of: "safetensors-to-pt", "tied.safetensors", exit: 0, appears: "tied.pt"),
    SessionCase(
      "file-json", of: "safetensors-to-pt", "--json tied.safetensors", exit: 0, appears: "tied.pt"),
    SessionCase(
      "verified", of: "safetensors-to-pt", "--verify there/optim.safetensors -o new.pt", exit: 0,
      appears: "new.pt"),
    SessionCase(
      "unreached", of: "safetensors-to-pt", "views.safetensors -o new.pt", exit: 0,
      appears: "new.pt"),
    SessionCase(
      "foreign", of: "safetensors-to-pt", "foreign.safetensors", exit: 0, appears: "foreign.pt"),
    SessionCase(
      "foreign-nested", of: "safetensors-to-pt", "--nest foreign.safetensors", exit: 0,
      appears: "foreign.pt"),
    SessionCase(
      "without-skeleton", of: "safetensors-to-pt", "--ignore-skeleton tied.safetensors", exit: 0,
      appears: "tied.pt"),
    SessionCase("existing", of: "safetensors-to-pt", "tied.safetensors -o model.pt", exit: 74),
    SessionCase("missing", of: "safetensors-to-pt", "missing.safetensors", exit: 74),
    SessionCase("cut", of: "safetensors-to-pt", "cut.safetensors", exit: 65),
    SessionCase("of-pt", of: "safetensors-to-pt", "model.pt -o new.pt", exit: 65),
    SessionCase("of-nothing", of: "safetensors-to-pt", "", exit: 64),
  ]

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func converts(_ test: SessionCase) throws {
    let workspace = try Self.workspace()
    try test.run(in: workspace)
  }

  @Test("Every file of a directory returns byte for byte")
  func returnsBytes() throws {
    let workspace = try Self.workspace()
    #expect(try workspace.run(["safetensors-to-pt", "there", "-o", "back"]).exitCode == 0)
    for name in ["config.yaml", "model.pt", "optim.pt", "train.pt"] {
      #expect(try workspace.bytes("back/\(name)") == workspace.bytes("step6/\(name)"))
    }
  }
}

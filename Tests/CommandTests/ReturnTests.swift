import Foundation
import Testing

@Suite("safetensors-to-pt brings back what left, and follows what was changed since")
struct ReturnTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let snapshot: String
    let arguments: [String]
    let exitCode: Int32
    /// The files that are there afterwards and were not before.
    let appears: [String]
    var testDescription: String { snapshot }

    init(
      _ snapshot: String, _ arguments: String, exit exitCode: Int32, appears: String...
    ) {
      self.snapshot = "return-\(snapshot).txt"
      self.arguments = ["safetensors-to-pt"] + arguments.split(separator: " ").map(String.init)
      self.exitCode = exitCode
      self.appears = appears
    }
  }

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
    Case(
      "directory", "there -o back", exit: 0, appears: "back/", "back/config.yaml",
      "back/model.pt", "back/optim.pt", "back/train.pt"),
    Case("file", "tied.safetensors", exit: 0, appears: "tied.pt"),
    Case("file-json", "--json tied.safetensors", exit: 0, appears: "tied.pt"),
    Case("verified", "--verify there/optim.safetensors -o new.pt", exit: 0, appears: "new.pt"),
    Case("unreached", "views.safetensors -o new.pt", exit: 0, appears: "new.pt"),
    Case("foreign", "foreign.safetensors", exit: 0, appears: "foreign.pt"),
    Case("foreign-nested", "--nest foreign.safetensors", exit: 0, appears: "foreign.pt"),
    Case(
      "without-skeleton", "--ignore-skeleton tied.safetensors", exit: 0, appears: "tied.pt"),
    Case("existing", "tied.safetensors -o model.pt", exit: 74),
    Case("missing", "missing.safetensors", exit: 74),
    Case("cut", "cut.safetensors", exit: 65),
    Case("of-pt", "model.pt -o new.pt", exit: 65),
    Case("of-nothing", "", exit: 64),
  ]

  @Test("What it prints and leaves behind is as recorded", arguments: cases)
  func converts(_ test: Case) throws {
    let workspace = try Self.workspace()
    let before = try workspace.files()
    let outcome = try workspace.run(test.arguments)
    #expect(outcome.exitCode == test.exitCode)
    #expect(try workspace.files() == (before + test.appears).sorted())
    try Snapshot.expect(Snapshot.session(test.arguments, outcome), matches: test.snapshot)
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

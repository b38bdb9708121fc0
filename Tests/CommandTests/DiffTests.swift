import Foundation
import Testing

@Suite("diff tells how checkpoints differ")
struct DiffTests {
  static let cases = [
    SessionCase("equal", of: "diff", "sgd.pt sgd.pt", exit: 0),
    SessionCase("different", of: "diff", "--limit 3 sgd.pt adagrad.pt", exit: 1),
    SessionCase(
      "within-tolerance", of: "diff", "--limit 2 --tolerance 1e9 sgd.pt adagrad.pt", exit: 1),
    SessionCase("directories", of: "diff", "a b", exit: 1),
    SessionCase("different-quiet", of: "diff", "-q sgd.pt adagrad.pt", exit: 1),
    SessionCase("missing", of: "diff", "sgd.pt missing.pt", exit: 74),
    SessionCase("no-number", of: "diff", "--tolerance -1 sgd.pt sgd.pt", exit: 64),
    SessionCase("one-operand", of: "diff", "sgd.pt", exit: 64),
  ]

  @Test("Differences and exit codes are as recorded", arguments: cases)
  func compares(_ test: SessionCase) throws {
    let workspace = try Workspace()
    try workspace.copy("plain/opt-sgd.pt", as: "sgd.pt")
    try workspace.copy("plain/opt-adagrad.pt", as: "adagrad.pt")
    try workspace.copy("olmo2-fsdp/step6-unsharded", as: "a")
    try workspace.copy("olmo2-fsdp/step6-unsharded/model.pt", as: "b/model.pt")
    try test.run(in: workspace)
  }
}
